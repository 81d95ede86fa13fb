// The keys of one packet.
//
// Keys stand for what a classic BPF program would load, not for what a dissector would say: needs
// (filter/needs.h) are drawn from loads, and a packet that a program accepts must hold the keys needed, however
// malformed it is. So:
//
// * A value is taken from exactly the place that the program's load takes it from, and only `caplen` bytes count: a
//   load beyond them ends the program with 0, so what is not there is never needed.
// * Every key has guards: what the packet must hold elsewhere for it to be recorded. They are the ones below, and no
//   others, and needs are drawn only where the program has proven all of them:
//     EtherType behind n tags   the n EtherTypes before it are tags
//     VLAN id                   the EtherType before it is a tag, and those before that
//     what is in IPv4 (ARP, IPv6)  the link layer says that IPv4 (ARP or RARP, IPv6) follows, there
//     a port                    the protocol or next header is TCP, UDP or SCTP
//     the protocol behind an IPv6 fragment header    the next header is 44
//   A MAC address has none.
// * Nothing else is asked: not the IP version, lengths, checksums, or whether a fragment is the first one. A packet
//   may so have keys that no program asks for (ports of a later fragment); that costs a look at its block, never a
//   packet.
//
// IPv4 ports lie behind 4 * (first byte & 15) bytes, as the MSH load computes it, even where that is less than 20.
#pragma once
#include "base/bytes.h"
#include "index/key.h"
#include "index/places.h"

namespace spillway {

// The value of an IPv6 address's key: a hash of its 16 bytes, stored in index files. Each half alone decides it
// one-to-one, so that addresses of one network never collide with one another.
inline uint64_t ip6KeyValue(const uint8_t* address) {
  uint64_t h = load64(address) * 0x9e3779b97f4a7c15;
  h ^= h >> 32;
  h = (h ^ load64(address + 8)) * 0xbf58476d1ce4e5b9;
  return h ^ (h >> 31);
}

namespace detail {

// A packet's bytes; each load is asked for with has() first. Offsets stay far below 2^32.
struct PacketBytes {
  const uint8_t* data;
  uint32_t size;
  bool has(uint32_t offset, uint32_t bytes) const { return offset + bytes <= size; }
  uint32_t u8(uint32_t offset) const { return data[offset]; }
  uint32_t u16(uint32_t offset) const { return swap16(load16(data + offset)); }
  uint32_t u32(uint32_t offset) const { return swap32(load32(data + offset)); }
};

template <class F>
inline void visitPorts(PacketBytes in, uint32_t transport, F& f) {
  if (!in.has(transport, 2)) return;
  f(Key{KeyKind::port, in.u16(transport + places::kSourcePort)});
  if (in.has(transport + places::kDestinationPort, 2))
    f(Key{KeyKind::port, in.u16(transport + places::kDestinationPort)});
}

template <class F>
inline void visitIp4(PacketBytes in, uint32_t network, F& f) {
  if (!in.has(network + places::kIp4Protocol, 1)) return;
  const uint32_t protocol = in.u8(network + places::kIp4Protocol);
  f(Key{KeyKind::ip_protocol, protocol});
  if (in.has(network + places::kIp4Source, 4)) f(Key{KeyKind::ip4, in.u32(network + places::kIp4Source)});
  if (in.has(network + places::kIp4Destination, 4)) f(Key{KeyKind::ip4, in.u32(network + places::kIp4Destination)});
  if (places::hasPorts(protocol)) visitPorts(in, network + ((in.u8(network) & 0xf) << 2), f);
}

template <class F>
inline void visitArp(PacketBytes in, uint32_t network, F& f) {
  if (in.has(network + places::kArpSender, 4)) f(Key{KeyKind::ip4, in.u32(network + places::kArpSender)});
  if (in.has(network + places::kArpTarget, 4)) f(Key{KeyKind::ip4, in.u32(network + places::kArpTarget)});
}

template <class F>
inline void visitIp6(PacketBytes in, uint32_t network, F& f) {
  if (!in.has(network + places::kIp6NextHeader, 1)) return;
  const uint32_t next = in.u8(network + places::kIp6NextHeader);
  f(Key{KeyKind::ip_protocol, next});
  if (in.has(network + places::kIp6Source, 16))
    f(Key{KeyKind::ip6, ip6KeyValue(in.data + network + places::kIp6Source)});
  if (in.has(network + places::kIp6Destination, 16))
    f(Key{KeyKind::ip6, ip6KeyValue(in.data + network + places::kIp6Destination)});
  if (places::hasPorts(next)) visitPorts(in, network + places::kIp6Payload, f);
  else if (next == places::kFragment && in.has(network + places::kIp6Payload, 1))
    f(Key{KeyKind::ip_protocol, in.u8(network + places::kIp6Payload)});
}

template <class F>
inline void visitByEtherType(PacketBytes in, uint32_t type, uint32_t network, F& f) {
  if (type == places::kEtherTypeIp4) visitIp4(in, network, f);
  else if (type == places::kEtherTypeIp6) visitIp6(in, network, f);
  else if (type == places::kEtherTypeArp || type == places::kEtherTypeRarp) visitArp(in, network, f);
}

inline uint64_t macAt(PacketBytes in, uint32_t offset) {
  return static_cast<uint64_t>(in.u16(offset)) << 32 | in.u32(offset + 2);
}

template <class F>
inline void visitEthernet(PacketBytes in, places::Link link, F& f) {
  if (in.has(places::kMacDestination, places::kMacBytes)) f(Key{KeyKind::mac, macAt(in, places::kMacDestination)});
  if (in.has(places::kMacSource, places::kMacBytes)) f(Key{KeyKind::mac, macAt(in, places::kMacSource)});
  uint32_t at = link.protocol_offset;
  if (!in.has(at, 2)) return;
  uint32_t type = in.u16(at);
  f(Key{KeyKind::ether_type, type});
  for (uint32_t tags = 0; places::isTag(type) && tags < places::kMaxTags; ++tags) {
    if (!in.has(at + places::kTagVlan, 2)) return;
    f(Key{KeyKind::vlan, in.u16(at + places::kTagVlan) & places::kVlanMask});
    at += places::kTagBytes;
    if (!in.has(at, 2)) return;
    type = in.u16(at);
    f(Key{KeyKind::ether_type, type});
  }
  visitByEtherType(in, type, at + (link.network_offset - link.protocol_offset), f);
}

template <class F>
inline void visitOther(PacketBytes in, places::Link link, F& f) {
  const uint32_t at = link.protocol_offset;
  const uint32_t network = link.network_offset;
  switch (link.protocol) {
    case places::Protocol::ether_type:
      if (!in.has(at, 2)) return;
      f(Key{KeyKind::ether_type, in.u16(at)});
      return visitByEtherType(in, in.u16(at), network, f);
    case places::Protocol::version:
      if (!in.has(at, 1)) return;
      if (in.u8(at) >> 4 == 4) visitIp4(in, network, f);
      if (in.u8(at) >> 4 == 6) visitIp6(in, network, f);
      return;
    case places::Protocol::family: {
      if (!in.has(at, 4)) return;
      const uint32_t family = in.u32(at);
      const uint32_t swapped = swap32(family);
      if (family == places::kFamilyIp4 || swapped == places::kFamilyIp4) visitIp4(in, network, f);
      if (places::isFamilyIp6(family) || places::isFamilyIp6(swapped)) visitIp6(in, network, f);
      return;
    }
    case places::Protocol::ip4:
      return visitIp4(in, network, f);
    case places::Protocol::ip6:
      return visitIp6(in, network, f);
  }
}

}  // namespace detail

// Two MAC addresses, three EtherTypes, two VLAN ids, a protocol, two addresses and two ports.
constexpr size_t kMaxPacketKeys = 12;

// Calls f(Key) for every key of the packet of `caplen` bytes at `data`, some more than once; for a link type without
// keys (places::linkOf) not at all. At most kMaxPacketKeys calls. `data` is borrowed for the call.
template <class F>
inline void visitKeys(const uint8_t* data, uint32_t caplen, uint32_t link_type, F&& f) {
  const places::Link* link = places::linkOf(link_type);
  if (!link) return;
  const detail::PacketBytes in{data, caplen};
  if (link->ethernet) detail::visitEthernet(in, *link, f);
  else detail::visitOther(in, *link, f);
}

}  // namespace spillway
