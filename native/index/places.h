// Where in a packet the keys are: one description for those who record keys (index/keys.h) and for those who prove
// that a program looks at them (filter/needs.h). Offsets in bytes; numbers in the packet are big-endian.
#pragma once
#include <cstdint>

namespace spillway::places {

// How a link type says which network layer follows.
enum class Protocol : uint8_t {
  ether_type,  // an EtherType, 2 bytes
  version,     // the high half of the network layer's first byte: 4 or 6
  family,      // an address family, 4 bytes in either byte order
  ip4,         // it is always IPv4
  ip6,         // it is always IPv6
};

// A link type whose packets have keys.
struct Link {
  Protocol protocol;
  uint8_t protocol_offset;
  uint8_t network_offset;
  bool ethernet;  // it has MAC addresses, and VLAN tags, each of which moves the EtherType and all behind it
};

// By LINKTYPE_ values (pcap-linktype(7)).
struct LinkRow {
  uint32_t link_type;
  Link link;
};
constexpr LinkRow kLinks[] = {
    {1, {Protocol::ether_type, 12, 14, true}},     // EN10MB
    {113, {Protocol::ether_type, 14, 16, false}},  // LINUX_SLL
    {276, {Protocol::ether_type, 0, 20, false}},   // LINUX_SLL2
    {0, {Protocol::family, 0, 4, false}},          // NULL
    {108, {Protocol::family, 0, 4, false}},        // LOOP
    {101, {Protocol::version, 0, 0, false}},       // RAW
    {12, {Protocol::version, 0, 0, false}},        // RAW, as most systems number it
    {14, {Protocol::version, 0, 0, false}},        // RAW, as OpenBSD numbers it
    {228, {Protocol::ip4, 0, 0, false}},           // IPV4
    {229, {Protocol::ip6, 0, 0, false}},           // IPV6
};

// Null for a link type whose packets have no keys.
constexpr const Link* linkOf(uint32_t link_type) {
  for (const LinkRow& row : kLinks)
    if (row.link_type == link_type) return &row.link;
  return nullptr;
}

// EtherTypes.
constexpr uint32_t kEtherTypeIp4 = 0x0800;
constexpr uint32_t kEtherTypeArp = 0x0806;
constexpr uint32_t kEtherTypeRarp = 0x8035;
constexpr uint32_t kEtherTypeIp6 = 0x86dd;
constexpr uint32_t kEtherTypeTags[] = {0x8100, 0x88a8, 0x9100};  // 802.1Q, 802.1ad, and what came before it
constexpr bool isTag(uint32_t t) { return t == 0x8100 || t == 0x88a8 || t == 0x9100; }

// Address families as programs compare them: AF_INET is 2 everywhere, AF_INET6 differs (Linux; NetBSD and OpenBSD;
// FreeBSD; Darwin).
constexpr uint32_t kFamilyIp4 = 2;
constexpr uint32_t kFamiliesIp6[] = {10, 24, 28, 30};
constexpr bool isFamilyIp6(uint32_t f) { return f == 10 || f == 24 || f == 28 || f == 30; }

// Ethernet. A tag is its identifier, which stands where the EtherType would, and 2 bytes of which the low 12 bits are
// the VLAN id; then comes the next EtherType.
constexpr uint32_t kMacDestination = 0;
constexpr uint32_t kMacSource = 6;
constexpr uint32_t kMacBytes = 6;
constexpr uint32_t kTagBytes = 4;
constexpr uint32_t kTagVlan = 2;  // from the tag's identifier
constexpr uint32_t kVlanMask = 0xfff;
constexpr uint32_t kMaxTags = 2;  // what is behind more of them has no keys

// From the beginning of the network layer. ARP stands for RARP, too, and for Ethernet and IPv4 addresses, which
// programs take for granted.
constexpr uint32_t kIp4Protocol = 9;
constexpr uint32_t kIp4Source = 12;
constexpr uint32_t kIp4Destination = 16;
constexpr uint32_t kArpSender = 14;
constexpr uint32_t kArpTarget = 24;
constexpr uint32_t kIp6NextHeader = 6;
constexpr uint32_t kIp6Source = 8;
constexpr uint32_t kIp6Destination = 24;
constexpr uint32_t kIp6Payload = 40;  // the next header's own first byte, where a fragment header has the one after it

// IP protocols.
constexpr uint32_t kFragment = 44;
constexpr uint32_t kWithPorts[] = {6, 17, 132};  // TCP, UDP, SCTP: ports at 0 and 2 of their header
constexpr bool hasPorts(uint32_t p) { return p == 6 || p == 17 || p == 132; }

// From the beginning of the transport layer.
constexpr uint32_t kSourcePort = 0;
constexpr uint32_t kDestinationPort = 2;

}  // namespace spillway::places
