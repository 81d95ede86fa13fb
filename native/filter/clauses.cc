#include "filter/clauses.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "filter/needs.h"
#include "index/places.h"

namespace spillway {

namespace {

uint64_t width(const Need& need) { return need.high - need.low + 1; }

// What an index is asked: an address range is looked up in a list of addresses, any other value by value.
uint64_t lookups(const Need& need) { return need.kind == KeyKind::ip4 ? 1 : width(need); }

// Values of these kinds are asked one by one anyway, so that neighbours may as well be a range.
bool joinsNeighbours(KeyKind kind) { return kind != KeyKind::ip4 && kind != KeyKind::ip6 && kind != KeyKind::mac; }

void normalise(NeedClause& clause) {
  std::sort(clause.begin(), clause.end(),
            [](const Need& a, const Need& b) { return std::tie(a.kind, a.low) < std::tie(b.kind, b.low); });
  size_t kept = 0;
  for (const Need& need : clause) {
    Need* last = kept != 0 ? &clause[kept - 1] : nullptr;
    const uint64_t gap = joinsNeighbours(need.kind) ? 1 : 0;
    if (last && last->kind == need.kind && need.low - last->low <= last->high - last->low + gap)
      last->high = std::max(last->high, need.high);
    else clause[kept++] = need;
  }
  clause.resize(kept);
}

// Whether an index could gain by it: few look-ups, and not most of all addresses.
bool useful(const NeedClause& clause) {
  uint64_t all = 0;
  uint64_t addresses = 0;
  for (const Need& need : clause) {
    // A sum of the widths themselves could overflow.
    if (lookups(need) > kMaxAlternatives) return false;
    all += lookups(need);
    if (need.kind == KeyKind::ip4) addresses += width(need);
  }
  return all <= kMaxAlternatives && addresses <= uint64_t{1} << 31;
}

// Clauses carried along: among the unions of a join are many that say little, and that only later joins tell apart.
constexpr size_t kMaxCarried = 2 * kMaxNeedClauses;

// The weight of what nearly every block holds.
constexpr uint64_t kEverywhere = 4096;

// A guess of how many blocks hold it; only the order matters.
uint64_t weightOf(const Need& need) {
  const bool one = need.low == need.high;
  switch (need.kind) {
    case KeyKind::ip4:
      return static_cast<uint64_t>(std::bit_width(width(need)));
    case KeyKind::ip6:
      return 1;
    case KeyKind::mac:
    case KeyKind::port:
      return 4 * width(need);
    case KeyKind::vlan:
      return 32 * width(need);
    case KeyKind::ip_protocol:
      return one && !places::hasPorts(static_cast<uint32_t>(need.low)) ? 64 : width(need) * kEverywhere / 4;
    case KeyKind::ether_type:
      if (one && (need.low == places::kEtherTypeIp4 || need.low == places::kEtherTypeIp6)) return kEverywhere;
      return (one && places::isTag(static_cast<uint32_t>(need.low)) ? 1024 : 64) * width(need);
  }
  return kEverywhere;
}

// Whether whatever satisfies `a` satisfies `b`.
bool implies(const NeedClause& a, const NeedClause& b) {
  size_t j = 0;
  for (const Need& need : a) {
    while (j < b.size() && std::tie(b[j].kind, b[j].high) < std::tie(need.kind, need.high)) ++j;
    if (j == b.size() || b[j].kind != need.kind || b[j].low > need.low) return false;
  }
  return true;
}

// What a packet that has a key of `kind` has as well, one of these: the guards of index/keys.h. (A program of a link
// type without EtherTypes asks for none.)
NeedClause impliedBy(KeyKind kind) {
  const auto types = [](std::initializer_list<uint32_t> values) {
    NeedClause clause;
    for (const uint32_t value : values) clause.push_back({KeyKind::ether_type, value, value});
    return clause;
  };
  switch (kind) {
    case KeyKind::ip4:
      return types({places::kEtherTypeIp4, places::kEtherTypeArp, places::kEtherTypeRarp});
    case KeyKind::ip6:
      return types({places::kEtherTypeIp6});
    case KeyKind::ip_protocol:
      return types({places::kEtherTypeIp4, places::kEtherTypeIp6});
    case KeyKind::vlan:
      return types({0x8100, 0x88a8, 0x9100});
    case KeyKind::port: {
      NeedClause clause;
      for (const uint32_t value : places::kWithPorts) clause.push_back({KeyKind::ip_protocol, value, value});
      return clause;
    }
    default:
      return {};
  }
}

// Whether a packet, and so a block, with a key of `need` satisfies `clause`.
bool satisfies(const Need& need, const NeedClause& clause) {
  const auto covers = [&](const Need& one) {
    return one.kind == need.kind && one.low <= need.low && need.high <= one.high;
  };
  if (std::any_of(clause.begin(), clause.end(), covers)) return true;
  const NeedClause implied = impliedBy(need.kind);
  return !implied.empty() &&
         std::all_of(implied.begin(), implied.end(), [&](const Need& one) { return satisfies(one, clause); });
}

}  // namespace

void Clauses::add(NeedClause clause) {
  normalise(clause);
  if (clause.empty() || !useful(clause)) return;
  uint64_t weight = 0;
  for (const Need& need : clause) weight += weightOf(need);
  insert(std::make_shared<const Ranked>(Ranked{std::move(clause), weight}));
}

void Clauses::insert(Shared clause) {
  for (const Shared& one : sorted_)
    if (one == clause || implies(one->needs, clause->needs)) return;
  std::erase_if(sorted_, [&](const Shared& one) { return implies(clause->needs, one->needs); });
  const auto place = std::upper_bound(sorted_.begin(), sorted_.end(), clause,
                                      [](const Shared& a, const Shared& b) { return a->weight < b->weight; });
  sorted_.insert(place, std::move(clause));
  if (sorted_.size() > kMaxCarried) sorted_.pop_back();
}

bool Clauses::carries(const Shared& clause) const {
  return std::find(sorted_.begin(), sorted_.end(), clause) != sorted_.end();
}

Clauses Clauses::join(const Clauses& a, const Clauses& b, int64_t& work) {
  Clauses both;
  for (const Shared& one : a.sorted_)
    if (b.carries(one)) both.insert(one);
  for (const Shared& one : a.sorted_) {
    if (b.carries(one)) continue;
    for (const Shared& other : b.sorted_) {
      if (work <= 0) return both;
      work -= static_cast<int64_t>(one->needs.size() + other->needs.size());
      if (a.carries(other)) continue;
      NeedClause either = one->needs;
      either.insert(either.end(), other->needs.begin(), other->needs.end());
      both.add(std::move(either));
    }
  }
  return both;
}

std::vector<NeedClause> Clauses::list() const {
  std::vector<NeedClause> all;
  for (const Shared& one : sorted_) {
    // `an address, or IPv4 at all` is true and of no use.
    const bool mixed = one->needs.front().kind != one->needs.back().kind;
    if (!mixed || one->weight < kEverywhere) all.push_back(one->needs);
  }
  // From the least selective on: what another asks anyway is left out.
  for (size_t i = all.size(); i-- > 0;) {
    const auto asks = [&](const NeedClause& other) {
      return &other != &all[i] &&
             std::all_of(other.begin(), other.end(), [&](const Need& need) { return satisfies(need, all[i]); });
    };
    if (std::any_of(all.begin(), all.end(), asks)) all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (all.size() > kMaxNeedClauses) all.resize(kMaxNeedClauses);
  return all;
}

}  // namespace spillway
