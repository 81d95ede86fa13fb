#include "filter/packet_facts.h"

#include <algorithm>

#include "index/keys.h"

namespace spillway {

namespace {

// A path through a program knows a handful of things, each with a few values (three tags, three protocols, a range).
constexpr size_t kMaxFacts = 48;
constexpr size_t kMaxRanges = 8;

// Keys that parts with several known values each may make: combinations that no packet need hold are among them.
constexpr size_t kMaxAssembled = 16;

// The values of `place` for which the bits `mask` of its load are in `range`: a range that holds at least those.
// Returns false when nothing can be said.
bool keyRange(const KeyPlace& place, uint32_t mask, ValueRange range, Need* need) {
  const uint32_t unknown = place.mask & ~mask;
  if ((mask & ~place.mask) != 0) {
    // Bits beside the key are known, too. Of a single value they are left out; a range need not stay one without them.
    if (range.low != range.high) return false;
    range.low &= place.mask;
    range.high &= place.mask;
  }
  const uint64_t high = std::min(uint64_t{range.high} + unknown, uint64_t{place.mask});
  *need = {place.kind, range.low, high};
  return true;
}

uint64_t keyValue(KeyKind kind, const std::vector<uint8_t>& bytes) {
  if (kind == KeyKind::ip6) return ip6KeyValue(bytes.data());
  uint64_t value = 0;
  for (const uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

const PacketFacts::Fact* PacketFacts::find(const Load& load, uint32_t mask) const {
  for (const Fact& fact : facts_)
    if (fact.load == load && fact.mask == mask) return &fact;
  return nullptr;
}

bool PacketFacts::learn(const Load& load, uint32_t mask, const ValueSet& values) {
  if (const Fact* known = find(load, mask)) {
    ValueSet both = known->values & values;
    if (both.empty()) return false;
    if (both.ranges().size() <= kMaxRanges) facts_[static_cast<size_t>(known - facts_.data())].values = std::move(both);
    return true;
  }
  if (values.empty()) return false;
  if (facts_.size() < kMaxFacts && values.ranges().size() <= kMaxRanges) facts_.push_back({load, mask, values});
  return true;
}

void PacketFacts::join(const PacketFacts& other) {
  std::erase_if(facts_, [&](Fact& fact) {
    const Fact* same = other.find(fact.load, fact.mask);
    if (!same) return true;
    fact.values = fact.values | same->values;
    return fact.values.ranges().size() > kMaxRanges;
  });
}

bool PacketFacts::proven(const Guard& guard) const {
  for (const Fact& fact : facts_) {
    if (fact.load != guard.load || (guard.mask & ~fact.mask) != 0 || fact.values.count() > kMaxAlternatives) continue;
    const auto allowed = [&](ValueRange range) {
      for (uint64_t value = range.low; value <= range.high; ++value)
        if (std::find(guard.values.begin(), guard.values.end(), value & guard.mask) == guard.values.end()) return false;
      return true;
    };
    if (std::all_of(fact.values.ranges().begin(), fact.values.ranges().end(), allowed)) return true;
  }
  return false;
}

void PacketFacts::addSingle(const KeyPlace& place, Clauses& to) const {
  for (const Fact& fact : facts_) {
    if (fact.load != place.parts.front()) continue;
    NeedClause clause;
    for (const ValueRange range : fact.values.ranges()) {
      Need need;
      if (!keyRange(place, fact.mask, range, &need)) {
        clause.clear();
        break;
      }
      clause.push_back(need);
    }
    to.add(std::move(clause));
  }
}

void PacketFacts::addAssembled(const KeyPlace& place, Clauses& to) const {
  std::vector<std::vector<uint8_t>> keys{{}};
  for (const Load& part : place.parts) {
    const Fact* fact = find(part, allBits(part));
    if (!fact || keys.size() * fact->values.count() > kMaxAssembled) return;
    std::vector<std::vector<uint8_t>> longer;
    for (const auto& key : keys)
      for (const ValueRange range : fact->values.ranges())
        for (uint64_t value = range.low; value <= range.high; ++value) {
          longer.push_back(key);
          for (uint32_t byte = part.size; byte-- > 0;) longer.back().push_back(static_cast<uint8_t>(value >> 8 * byte));
        }
    keys = std::move(longer);
  }
  NeedClause clause;
  for (const auto& key : keys) clause.push_back({place.kind, keyValue(place.kind, key), keyValue(place.kind, key)});
  to.add(std::move(clause));
}

void PacketFacts::addClauses(const std::vector<KeyPlace>& places, Clauses& to) const {
  for (const KeyPlace& place : places) {
    const bool known =
        std::any_of(facts_.begin(), facts_.end(), [&](const Fact& fact) { return fact.load == place.parts.front(); });
    if (!known || !std::all_of(place.guards.begin(), place.guards.end(), [&](const Guard& g) { return proven(g); }))
      continue;
    if (place.parts.size() == 1) addSingle(place, to);
    else addAssembled(place, to);
  }
}

}  // namespace spillway
