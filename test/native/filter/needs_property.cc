// Whatever the program, each packet that it accepts has keys that satisfy all that the program is said to need.
//
// SPILLWAY_NEEDS_PROGRAMS=2000000 tries that many programs, SPILLWAY_NEEDS_SEED=7 others.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "check.h"
#include "filter/needs.h"
#include "filter/needs_programs.h"
#include "filter/needs_text.h"
#include "filter/program.h"
#include "index/keys.h"
#include "index/packets.h"

namespace spillway::test {
namespace {

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

using Keys = std::vector<Key>;
using KeysOf = Keys (*)(const Exact& packet, uint32_t link_type);

Keys keysOf(const uint8_t* data, size_t size, uint32_t link_type) {
  Keys keys;
  visitKeys(data, static_cast<uint32_t>(size), link_type, [&](Key key) { keys.push_back(key); });
  return keys;
}
Keys keysOf(const Exact& packet, uint32_t link_type) { return keysOf(packet.data(), packet.size(), link_type); }

bool satisfied(const NeedClause& clause, const Keys& keys) {
  return std::any_of(clause.begin(), clause.end(), [&](const Need& need) {
    return std::any_of(keys.begin(), keys.end(), [&](const Key& key) {
      return key.kind == need.kind && need.low <= key.value && key.value <= need.high;
    });
  });
}

struct Tally {
  uint64_t programs = 0;    // valid ones
  uint64_t with_needs = 0;  // of these
  uint64_t accepted = 0;    // packets, by programs that need something
  uint64_t clauses = 0;     // of all programs, each accepted packet counting them again
  uint64_t wrong = 0;       // packets accepted without what is needed
  std::string first_wrong;
};

// Packets of each link type to draw from: making a packet takes longer than running a program on it.
class Stock {
 public:
  explicit Stock(Random random) {
    for (const uint32_t link_type : kLinkTypePool)
      for (int i = 0; i < 300; ++i) packets_[link_type].emplace_back(randomPacket(random, link_type));
  }
  const Exact& draw(Random& random, uint32_t link_type) {
    auto& packets = packets_[link_type];
    // A link type without keys: any packet does.
    return pick(random, packets.empty() ? packets_[1] : packets);
  }

 private:
  std::map<uint32_t, std::vector<Exact>> packets_;
};

// Ends at the first packet that lacks something where `wanted` says that one must.
Tally tally(uint64_t seed, uint64_t programs, KeysOf keys_of, bool wanted = false) {
  constexpr int kPackets = 50;
  constexpr uint64_t kProgramsPerStock = 1000;
  Tally sum;
  std::optional<Stock> stock;
  for (uint64_t n = 0; n < programs && !(wanted && sum.wrong != 0); ++n) {
    Random random(seed * 1'000'000'007 + n);
    if (n % kProgramsPerStock == 0) stock.emplace(Random(random.next()));
    const RandomProgram one = randomProgram(random);
    const Exact code(encoded(one.code));
    std::string why;
    const auto program = Program::verify(code.bytes(), &why);
    if (!program) continue;
    const Needs needs = needsOf(code.bytes(), one.link_type);
    ++sum.programs;
    if (!needs.clauses.empty() || needs.never) ++sum.with_needs;
    for (int i = 0; i < kPackets; ++i) {
      const Exact& packet = stock->draw(random, one.link_type);
      const auto size = static_cast<uint32_t>(packet.size());
      if (program->run(packet.data(), size, size + static_cast<uint32_t>(random.below(3))) == 0) continue;
      sum.accepted += !needs.clauses.empty();
      sum.clauses += needs.clauses.size();
      const Keys keys = needs.clauses.empty() ? Keys{} : keys_of(packet, one.link_type);
      const auto holds = [&](const NeedClause& clause) { return satisfied(clause, keys); };
      if (!needs.never && std::all_of(needs.clauses.begin(), needs.clauses.end(), holds)) continue;
      if (sum.wrong++ == 0)
        sum.first_wrong = "program " + std::to_string(n) + ", link type " + std::to_string(one.link_type) + " (" +
                          textOf(needs) + "): " + shown(encoded(one.code)) + "\n    packet " +
                          shown(Buffer(packet.data(), packet.data() + packet.size()));
    }
  }
  return sum;
}

// Keys that lack something, as a mistake in either room would make them: of one kind, ...
template <KeyKind kind>
Keys without(const Exact& packet, uint32_t link_type) {
  Keys keys = keysOf(packet, link_type);
  std::erase_if(keys, [](const Key& key) { return key.kind == kind; });
  return keys;
}
// ... of the packet's last byte, ...
Keys withoutLastByte(const Exact& packet, uint32_t link_type) {
  return keysOf(packet.data(), packet.size() - (packet.size() != 0), link_type);
}
// ... or of what only a dissector would ask for: EtherTypes behind a second tag, an IPv4 header of 20 bytes or more.
Keys withoutSecondTag(const Exact& packet, uint32_t link_type) {
  Keys keys = keysOf(packet, link_type);
  const auto is_tag = [](const Key& key) { return key.kind == KeyKind::vlan; };
  if (std::count_if(keys.begin(), keys.end(), is_tag) == 2) {
    const auto second = std::find_if(std::find_if(keys.begin(), keys.end(), is_tag) + 1, keys.end(), is_tag);
    keys.erase(second, keys.end());
  }
  return keys;
}
Keys withoutShortHeaders(const Exact& packet, uint32_t link_type) {
  Keys keys = keysOf(packet, link_type);
  if (packet.size() > 14 && (packet.data()[14] & 15) < 5)
    std::erase_if(keys, [](const Key& key) { return key.kind == KeyKind::port; });
  return keys;
}

}  // namespace

TEST("accepted packets have what their program needs") {
  const uint64_t programs = setting("SPILLWAY_NEEDS_PROGRAMS", 20000);
  const Tally sum = tally(setting("SPILLWAY_NEEDS_SEED", 1), programs, keysOf);
  CONTEXT(sum.first_wrong);
  CHECK_EQ(sum.wrong, 0u);
  // Enough was asked that a mistake would have shown.
  CHECK(sum.programs > programs * 8 / 10);
  CHECK(sum.with_needs > programs * 4 / 10);
  CHECK(sum.accepted > programs);
  CHECK(sum.clauses > sum.accepted);
}

TEST("keys that lack something are noticed") {
  struct Lacking {
    const char* what;
    KeysOf keys_of;
  };
  const Lacking all[] = {
      {"EtherTypes", without<KeyKind::ether_type>},  {"VLAN ids", without<KeyKind::vlan>},
      {"protocols", without<KeyKind::ip_protocol>},  {"IPv4 addresses", without<KeyKind::ip4>},
      {"IPv6 addresses", without<KeyKind::ip6>},     {"ports", without<KeyKind::port>},
      {"MAC addresses", without<KeyKind::mac>},      {"what needs the last byte", withoutLastByte},
      {"what is behind two tags", withoutSecondTag}, {"ports behind short headers", withoutShortHeaders},
  };
  for (const Lacking& one : all) {
    CONTEXT(one.what);
    CHECK(tally(1, 20000, one.keys_of, true).wrong > 0);
  }
}

}  // namespace spillway::test
