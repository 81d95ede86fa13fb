// The keys by which blocks of packets are indexed: what a packet holds at the places that a filter program looks at.
#pragma once
#include <array>
#include <cstdint>

namespace spillway {

// What a key is about. Numbers are stored in index files: never renumber.
enum class KeyKind : uint8_t {
  ether_type = 1,   // value: EtherType as loaded behind `vlan_depth` tags (exact bit/set, few per block)
  vlan = 2,         // value: VLAN id (12 bits)
  ip_protocol = 3,  // value: IPv4 protocol, or IPv6 next header at its fixed place
  ip4 = 4,          // value: IPv4 address, source or destination (ARP's sender and target, too)
  ip6 = 5,          // value: a hash of the IPv6 address, source or destination (16 bytes)
  port = 6,         // value: TCP, UDP or SCTP port, source or destination
  mac = 7,          // value: MAC address, source or destination
};

struct Key {
  KeyKind kind;
  uint64_t value;
  friend bool operator==(const Key&, const Key&) = default;
};

}  // namespace spillway
