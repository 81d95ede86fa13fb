#include "filter/key_places.h"

#include <map>

#include "base/bytes.h"
#include "index/places.h"

namespace spillway {

using namespace places;

namespace {

using Guards = std::vector<Guard>;

Guards with(Guards guards, Guard more) {
  guards.push_back(std::move(more));
  return guards;
}

template <size_t n>
std::vector<uint32_t> list(const uint32_t (&values)[n]) {
  return {values, values + n};
}

Guard whole(Load load, std::vector<uint32_t> values) { return {load, allBits(load), std::move(values)}; }

class Table {
 public:
  explicit Table(const Link& link) {
    const Load protocol{link.protocol_offset, 2};
    switch (link.protocol) {
      case Protocol::ether_type:
        if (link.ethernet) ethernet(link);
        else etherType(protocol, link.network_offset, {});
        break;
      case Protocol::version:
        ip4(link.network_offset, {{{link.protocol_offset, 1}, 0xf0, {0x40}}});
        ip6(link.network_offset, {{{link.protocol_offset, 1}, 0xf0, {0x60}}});
        break;
      case Protocol::family:
        ip4(link.network_offset, {family(link, {kFamilyIp4})});
        ip6(link.network_offset, {family(link, list(kFamiliesIp6))});
        break;
      case Protocol::ip4:
        ip4(link.network_offset, {});
        break;
      case Protocol::ip6:
        ip6(link.network_offset, {});
        break;
    }
  }

  std::vector<KeyPlace> take() { return std::move(places_); }

 private:
  // One load is the whole key.
  void add(KeyKind kind, Load load, const Guards& guards) { places_.push_back({kind, allBits(load), {load}, guards}); }

  static Guard family(const Link& link, std::vector<uint32_t> values) {
    for (size_t i = values.size(); i-- > 0;) values.push_back(swap32(values[i]));
    return whole({link.protocol_offset, 4}, std::move(values));
  }

  void ethernet(const Link& link) {
    // libpcap compares the last four bytes and the first two.
    for (const uint32_t at : {kMacDestination, kMacSource})
      places_.push_back({KeyKind::mac, 0xffffffff, {{at, 2}, {at + 2, 4}}, {}});
    Guards tags;
    for (uint32_t depth = 0;; ++depth) {
      const uint32_t moved = depth * kTagBytes;
      const Load type{link.protocol_offset + moved, 2};
      etherType(type, link.network_offset + moved, tags);
      if (depth == kMaxTags) return;
      tags = with(tags, whole(type, list(kEtherTypeTags)));
      places_.push_back({KeyKind::vlan, kVlanMask, {{type.offset + kTagVlan, 2}}, tags});
    }
  }

  void etherType(Load type, uint32_t network, const Guards& guards) {
    add(KeyKind::ether_type, type, guards);
    ip4(network, with(guards, whole(type, {kEtherTypeIp4})));
    ip6(network, with(guards, whole(type, {kEtherTypeIp6})));
    const Guards arp = with(guards, whole(type, {kEtherTypeArp, kEtherTypeRarp}));
    for (const uint32_t address : {kArpSender, kArpTarget}) add(KeyKind::ip4, {network + address, 4}, arp);
  }

  void ip4(uint32_t network, const Guards& guards) {
    const Load protocol{network + kIp4Protocol, 1};
    add(KeyKind::ip_protocol, protocol, guards);
    for (const uint32_t address : {kIp4Source, kIp4Destination}) add(KeyKind::ip4, {network + address, 4}, guards);
    const Guards transport = with(guards, whole(protocol, list(kWithPorts)));
    for (const uint32_t port : {kSourcePort, kDestinationPort})
      add(KeyKind::port, {network + port, 2, true, network}, transport);
  }

  void ip6(uint32_t network, const Guards& guards) {
    const Load next{network + kIp6NextHeader, 1};
    add(KeyKind::ip_protocol, next, guards);
    for (const uint32_t address : {kIp6Source, kIp6Destination}) {
      const uint32_t at = network + address;
      places_.push_back({KeyKind::ip6, 0xffffffff, {{at, 4}, {at + 4, 4}, {at + 8, 4}, {at + 12, 4}}, guards});
    }
    const uint32_t payload = network + kIp6Payload;
    add(KeyKind::ip_protocol, {payload, 1}, with(guards, whole(next, {kFragment})));
    const Guards transport = with(guards, whole(next, list(kWithPorts)));
    for (const uint32_t port : {kSourcePort, kDestinationPort}) add(KeyKind::port, {payload + port, 2}, transport);
  }

  std::vector<KeyPlace> places_;
};

}  // namespace

const std::vector<KeyPlace>& keyPlacesOf(uint32_t link_type) {
  static const auto kTables = [] {
    std::map<uint32_t, std::vector<KeyPlace>> tables;
    for (const LinkRow& row : kLinks) tables[row.link_type] = Table(row.link).take();
    return tables;
  }();
  static const std::vector<KeyPlace> kNone;
  const auto found = kTables.find(link_type);
  return found != kTables.end() ? found->second : kNone;
}

}  // namespace spillway
