// Which link type the frames of an interface have.
#pragma once
#include <net/if_arp.h>

#include <cstdint>
#include <optional>

namespace spillway::capture {

constexpr uint32_t kEthernet = 1;  // LINKTYPE_ETHERNET

// LINKTYPE numbers (tcpdump.org/linktypes) by the kernel's hardware types (ARPHRD_*); none for those whose frames have
// no link type of their own.
inline std::optional<uint32_t> linkTypeOf(int hardware_type) {
  switch (hardware_type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return kEthernet;
    case ARPHRD_NONE:  // tun, WireGuard
    case 519:          // ARPHRD_RAWIP
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
      return 101;  // LINKTYPE_RAW
    case ARPHRD_IEEE80211:
      return 105;
    case ARPHRD_IEEE80211_RADIOTAP:
      return 127;
    default:
      return std::nullopt;
  }
}

}  // namespace spillway::capture
