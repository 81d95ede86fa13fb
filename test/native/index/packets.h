// Packets at random of all link types that have keys, whose addresses, ports and tags come from a few values, so that
// filters on those values hit.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "buffer.h"
#include "random.h"

namespace spillway::test {

// The values that packets and filters draw from.
extern const std::vector<uint32_t> kIp4Pool;
extern const std::vector<Buffer> kIp6Pool;       // 16 bytes each
extern const std::vector<std::string> kIp6Text;  // the same as text
extern const std::vector<Buffer> kMacPool;       // 6 bytes each
extern const std::vector<uint32_t> kPortPool;
extern const std::vector<uint32_t> kVlanPool;
extern const std::vector<uint32_t> kProtocolPool;
extern const std::vector<uint32_t> kEtherTypePool;
extern const std::vector<uint32_t> kLinkTypePool;

template <class T>
const T& pick(Random& random, const std::vector<T>& pool) {
  return pool[random.below(pool.size())];
}

// The first ones more often.
template <class T>
const T& pickEarly(Random& random, const std::vector<T>& pool) {
  return pool[random.below(1 + random.below(pool.size()))];
}

// A packet as a sender would make it, with up to three tags; IPv4 headers of any length, fragments, IPv6 fragment
// headers.
Buffer wellFormedPacket(Random& random, uint32_t link_type);

// The same, and sometimes cut anywhere, with bytes changed, or both.
Buffer randomPacket(Random& random, uint32_t link_type);

}  // namespace spillway::test
