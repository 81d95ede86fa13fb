// The keys of packets: by example, and exactly those that the table of key places describes.
#include "index/keys.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "capture.h"
#include "check.h"
#include "filter/key_places.h"
#include "index/packets.h"

namespace spillway::test {
namespace {

using KeySet = std::set<std::pair<KeyKind, uint64_t>>;

KeySet keysOf(const Exact& packet, uint32_t link_type) {
  KeySet keys;
  size_t calls = 0;
  visitKeys(packet.data(), static_cast<uint32_t>(packet.size()), link_type, [&](Key key) {
    keys.insert({key.kind, key.value});
    ++calls;
  });
  CHECK(calls <= kMaxPacketKeys);
  return keys;
}

std::string text(const KeySet& keys) {
  static const char* const kNames[] = {"?", "type", "vlan", "protocol", "ip4", "ip6", "port", "mac"};
  std::ostringstream to;
  to << std::hex;
  for (const auto& [kind, value] : keys) to << kNames[static_cast<size_t>(kind)] << ' ' << value << ' ';
  return to.str();
}

Buffer tcp4() {
  return Put(true).u32(0x45000028).u32(0).u8(64).u8(6).u16(0).u32(0x0a000001).u32(0x0a000002).u16(80).u16(443).out;
}
Buffer ethernet(const Buffer& after_macs) {
  return Put(true).u16(0x11).u32(0x22334455).u16(0xff01).u32(0x02030405).out + after_macs;
}
Buffer u16s(std::initializer_list<uint16_t> values) {
  Put to(true);
  for (const uint16_t value : values) to.u16(value);
  return to.out;
}
Buffer ip6(uint8_t next, const Buffer& payload) {
  return Put(true).u32(0x60000000).u16(0).u8(next).u8(64).raw(kIp6Pool[0]).raw(kIp6Pool[1]).out + payload;
}

const std::string kMacs = "mac 1122334455 mac ff0102030405 ";
const std::string kTcp4 = "protocol 6 ip4 a000001 ip4 a000002 port 50 port 1bb ";
std::string ip6Keys() {
  return text({{KeyKind::ip6, ip6KeyValue(kIp6Pool[0].data())}, {KeyKind::ip6, ip6KeyValue(kIp6Pool[1].data())}});
}

struct KeyCase {
  const char* name;
  uint32_t link_type;
  Buffer packet;
  std::string want;
};

std::vector<KeyCase> keyCases() {
  Buffer options = tcp4();
  options[0] = 0x46;
  options.insert(options.begin() + 20, {1, 1, 1, 1});
  Buffer short_header = tcp4();
  short_header[0] = 0x44;  // the ports are where the destination is
  Buffer udp_fragment = tcp4();
  udp_fragment[6] = 0x1f;
  udp_fragment[9] = 17;
  Buffer icmp = tcp4();
  icmp[9] = 1;
  const Buffer arp = Put(true).raw(Buffer(14)).u32(0x0a000001).raw(Buffer(6)).u32(0x0a000002).out;
  const Buffer ports = u16s({53, 5060});
  return {
      {"TCP", 1, ethernet(u16s({0x800}) + tcp4()), "type 800 " + kTcp4 + kMacs},
      {"IPv4 options", 1, ethernet(u16s({0x800}) + options), "type 800 " + kTcp4 + kMacs},
      {"a header of 16 bytes", 1, ethernet(u16s({0x800}) + short_header),
       "type 800 protocol 6 ip4 a000001 ip4 a000002 port 2 port a00 " + kMacs},
      {"a later fragment", 1, ethernet(u16s({0x800}) + udp_fragment),
       "type 800 protocol 11 ip4 a000001 ip4 a000002 port 50 port 1bb " + kMacs},
      {"ICMP has no ports", 1, ethernet(u16s({0x800}) + icmp), "type 800 protocol 1 ip4 a000001 ip4 a000002 " + kMacs},
      {"one tag", 1, ethernet(u16s({0x8100, 0xe005, 0x800}) + tcp4()), "type 800 type 8100 vlan 5 " + kTcp4 + kMacs},
      {"two tags", 1, ethernet(u16s({0x88a8, 7, 0x9100, 5, 0x800}) + tcp4()),
       "type 800 type 88a8 type 9100 vlan 5 vlan 7 " + kTcp4 + kMacs},
      {"three tags", 1, ethernet(u16s({0x8100, 7, 0x8100, 5, 0x8100, 9, 0x800}) + tcp4()),
       "type 8100 vlan 5 vlan 7 " + kMacs},
      {"ARP", 1, ethernet(u16s({0x806}) + arp), "type 806 ip4 a000001 ip4 a000002 " + kMacs},
      {"RARP behind a tag", 1, ethernet(u16s({0x8100, 1, 0x8035}) + arp),
       "type 8035 type 8100 vlan 1 ip4 a000001 ip4 a000002 " + kMacs},
      {"UDP over IPv6", 1, ethernet(u16s({0x86dd}) + ip6(17, ports)),
       "type 86dd protocol 11 " + ip6Keys() + "port 35 port 13c4 " + kMacs},
      {"an IPv6 fragment", 1, ethernet(u16s({0x86dd}) + ip6(44, {17, 0})),
       "type 86dd protocol 11 protocol 2c " + ip6Keys() + kMacs},
      {"ICMPv6", 1, ethernet(u16s({0x86dd}) + ip6(58, ports)), "type 86dd protocol 3a " + ip6Keys() + kMacs},
      {"LLDP", 1, ethernet(u16s({0x88cc, 1, 2})), "type 88cc " + kMacs},
      {"no EtherType", 1, ethernet({8}), kMacs},
      {"one MAC address", 1, Put(true).u16(0x11).u32(0x22334455).u32(0).out, "mac 1122334455 "},
      {"nothing", 1, {}, ""},
      {"LINUX_SLL", 113, Buffer(14) + u16s({0x800}) + tcp4(), "type 800 " + kTcp4},
      {"LINUX_SLL knows no tags", 113, Buffer(14) + u16s({0x8100, 5, 0x800}) + tcp4(), "type 8100 "},
      {"LINUX_SLL2", 276, u16s({0x86dd}) + Buffer(18) + ip6(6, ports),
       "type 86dd protocol 6 " + ip6Keys() + "port 35 port 13c4 "},
      {"RAW, IPv4", 101, tcp4(), kTcp4},
      {"RAW, IPv6", 12, ip6(6, ports), "protocol 6 " + ip6Keys() + "port 35 port 13c4 "},
      {"RAW, version 5", 101, Buffer(60, 0x55), ""},
      {"IPV4 asks no version", 228, Buffer(9, 0x55) + Buffer{1}, "protocol 1 "},
      {"IPV6", 229, ip6(0, {}), "protocol 0 " + ip6Keys()},
      {"NULL, little-endian", 0, Buffer{2, 0, 0, 0} + tcp4(), kTcp4},
      {"NULL, big-endian", 0, Buffer{0, 0, 0, 2} + tcp4(), kTcp4},
      {"LOOP, IPv6", 108, Buffer{0, 0, 0, 30} + ip6(0, {}), "protocol 0 " + ip6Keys()},
      {"LOOP, another family", 108, Buffer{0, 0, 0, 7} + tcp4(), ""},
      {"a link type without keys", 147, ethernet(u16s({0x800}) + tcp4()), ""},
  };
}

// What a program would load, or nothing beyond the packet.
std::optional<uint64_t> loaded(const Exact& packet, const Load& load) {
  uint64_t at = load.offset;
  if (load.behind_header) {
    if (load.header >= packet.size()) return {};
    at += (packet.data()[load.header] & 15u) * 4;
  }
  if (at + load.size > packet.size()) return {};
  uint64_t value = 0;
  for (uint64_t i = 0; i < load.size; ++i) value = value << 8 | packet.data()[at + i];
  return value;
}

bool holds(const Exact& packet, const Guard& guard) {
  const auto value = loaded(packet, guard.load);
  return value && std::count(guard.values.begin(), guard.values.end(), *value & guard.mask) != 0;
}

// The keys by the table that needs are drawn from.
KeySet keysByTable(const Exact& packet, const std::vector<KeyPlace>& places) {
  KeySet keys;
  for (const KeyPlace& place : places) {
    if (!std::all_of(place.guards.begin(), place.guards.end(), [&](const Guard& g) { return holds(packet, g); }))
      continue;
    Put bytes(true);
    uint64_t value = 0;
    bool whole = true;
    for (const Load& part : place.parts) {
      const auto one = loaded(packet, part);
      whole = whole && one;
      if (!one) break;
      value = value << part.size * 8 | *one;
      part.size == 4 ? bytes.u32(static_cast<uint32_t>(*one)) : bytes.u16(static_cast<uint16_t>(*one));
    }
    if (!whole) continue;
    if (place.parts.size() == 1) value &= place.mask;
    if (place.kind == KeyKind::ip6) value = ip6KeyValue(bytes.out.data());
    keys.insert({place.kind, value});
  }
  return keys;
}

}  // namespace

TEST("the keys of packets") {
  for (const KeyCase& one : keyCases()) {
    CONTEXT(one.name);
    CHECK_EQ(text(keysOf(Exact(one.packet), one.link_type)), one.want);
  }
}

TEST("keys are where the table of key places says, in packets cut anywhere") {
  for (const KeyCase& one : keyCases()) {
    const auto& places = keyPlacesOf(one.link_type);
    CHECK_EQ(places.empty(), one.link_type == 147);
    for (size_t size = 0; size <= one.packet.size(); ++size) {
      CONTEXT(one.name << " cut at " << size);
      const Exact packet(one.packet.data(), size);
      CHECK_EQ(text(keysOf(packet, one.link_type)), text(keysByTable(packet, places)));
    }
  }
}

TEST("keys are where the table of key places says, in packets at random") {
  Random random(1);
  for (int round = 0; round < 20000; ++round) {
    const uint32_t link_type = pick(random, kLinkTypePool);
    const Exact packet(randomPacket(random, link_type));
    CONTEXT("round " << round << ", link type " << link_type);
    CHECK_EQ(text(keysOf(packet, link_type)), text(keysByTable(packet, keyPlacesOf(link_type))));
  }
}

TEST("the value of an IPv6 address's key is what index files hold") {
  CHECK_EQ(ip6KeyValue(kIp6Pool[2].data()), 13330654903224238080u);
  CHECK_EQ(ip6KeyValue(kIp6Pool[0].data()), 14911515953137148119u);
}

TEST("IPv6 addresses of one network have keys of their own") {
  std::set<uint64_t> values;
  Buffer address = kIp6Pool[0];
  for (uint32_t host = 0; host < 100000; ++host) {
    store32(&address[12], swap32(host));
    values.insert(ip6KeyValue(address.data()));
  }
  CHECK_EQ(values.size(), 100000u);
}

}  // namespace spillway::test
