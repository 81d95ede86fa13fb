#include "index/packets.h"

#include "capture.h"

namespace spillway::test {

namespace {

Buffer ip6Of(uint16_t first, uint16_t second, uint16_t last) {
  Buffer address(16);
  address[0] = static_cast<uint8_t>(first >> 8);
  address[1] = static_cast<uint8_t>(first);
  address[2] = static_cast<uint8_t>(second >> 8);
  address[3] = static_cast<uint8_t>(second);
  address[14] = static_cast<uint8_t>(last >> 8);
  address[15] = static_cast<uint8_t>(last);
  return address;
}

}  // namespace

const std::vector<uint32_t> kIp4Pool = {0x0a000001, 0x0a000002, 0x0a040506, 0xc0a80101, 0xac100a0b};
// Two that differ in one word only, and one whose words are those of others.
const std::vector<Buffer> kIp6Pool = {ip6Of(0x2001, 0xdb8, 1), ip6Of(0x2001, 0xdb8, 2), ip6Of(0, 0, 1),
                                      ip6Of(0xfe80, 0, 1)};
const std::vector<std::string> kIp6Text = {"2001:db8::1", "2001:db8::2", "::1", "fe80::1"};
const std::vector<Buffer> kMacPool = {
    {0, 0x11, 0x22, 0x33, 0x44, 0x55}, {0, 0x11, 0x22, 0x33, 0x44, 0x66}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
const std::vector<uint32_t> kPortPool = {80, 53, 443, 110, 150, 5060};
const std::vector<uint32_t> kVlanPool = {5, 7, 100};
const std::vector<uint32_t> kProtocolPool = {6, 6, 6, 17, 17, 17, 132, 1, 58, 44, 44, 50};
const std::vector<uint32_t> kEtherTypePool = {0x800, 0x800, 0x800, 0x86dd, 0x86dd, 0x806, 0x8035, 0x88cc, 0x8100, 100};
const std::vector<uint32_t> kLinkTypePool = {1, 1, 1, 1, 1, 1, 113, 276, 0, 108, 12, 14, 101, 228, 229};

namespace {

void transport(Random& random, Put& to) {
  to.u16(static_cast<uint16_t>(pickEarly(random, kPortPool))).u16(static_cast<uint16_t>(pickEarly(random, kPortPool)));
  to.raw(random.bytes(random.below(24)));
}

void ip4(Random& random, Put& to) {
  const uint64_t words = random.below(3) != 0 ? 5 : random.below(16);
  to.u8(static_cast<uint8_t>(0x40 | words)).u8(0).u16(40).u16(0);
  to.u16(random.below(4) != 0 ? 0 : static_cast<uint16_t>(random.next())).u8(64);
  to.u8(static_cast<uint8_t>(pick(random, kProtocolPool)))
      .u16(0)
      .u32(pickEarly(random, kIp4Pool))
      .u32(pickEarly(random, kIp4Pool));
  if (words > 5) to.raw(random.bytes((words - 5) * 4));
  transport(random, to);
}

void ip6(Random& random, Put& to) {
  const uint8_t next = static_cast<uint8_t>(pick(random, kProtocolPool));
  to.u32(0x60000000).u16(40).u8(next).u8(64).raw(pickEarly(random, kIp6Pool)).raw(pickEarly(random, kIp6Pool));
  if (next == 44) to.u8(static_cast<uint8_t>(pick(random, kProtocolPool))).u8(0).u16(1).u32(7);
  transport(random, to);
}

void arp(Random& random, Put& to) {
  to.u16(1).u16(0x800).u8(6).u8(4).u16(1).raw(pickEarly(random, kMacPool)).u32(pickEarly(random, kIp4Pool));
  to.raw(pickEarly(random, kMacPool)).u32(pickEarly(random, kIp4Pool));
}

void network(Random& random, Put& to, uint32_t ether_type) {
  switch (ether_type) {
    case 0x800:
      return ip4(random, to);
    case 0x86dd:
      return ip6(random, to);
    case 0x806:
    case 0x8035:
      return arp(random, to);
    default:
      to.raw(random.bytes(random.below(60)));
  }
}

void ethernet(Random& random, Put& to) {
  static constexpr uint16_t kTags[] = {0x8100, 0x88a8, 0x9100};
  to.raw(pickEarly(random, kMacPool)).raw(pickEarly(random, kMacPool));
  for (uint64_t tags = random.below(2) == 0 ? random.below(4) : 0; tags > 0; --tags) {
    const uint64_t priority = random.below(3) == 0 ? random.next() << 12 : 0;
    to.u16(kTags[random.below(3)]).u16(static_cast<uint16_t>(pickEarly(random, kVlanPool) | priority));
  }
  const uint32_t type = pick(random, kEtherTypePool);
  to.u16(static_cast<uint16_t>(type));
  network(random, to, type);
}

void family(Random& random, Put& to) {
  static constexpr uint32_t kFamilies[] = {2, 10, 24, 28, 30, 7};
  const uint32_t one = kFamilies[random.below(6)];
  to.u32(random.below(2) == 0 ? one : swap32(one));
  network(random, to, one == 2 ? 0x800 : 0x86dd);
}

}  // namespace

Buffer wellFormedPacket(Random& random, uint32_t link_type) {
  Put to(true);
  const uint32_t type = pick(random, kEtherTypePool);
  switch (link_type) {
    case 0:
    case 108:
      family(random, to);
      break;
    case 113:
      to.raw(random.bytes(14)).u16(static_cast<uint16_t>(type));
      network(random, to, type);
      break;
    case 276:
      to.u16(static_cast<uint16_t>(type)).raw(random.bytes(18));
      network(random, to, type);
      break;
    case 12:
    case 14:
    case 101:
      random.below(2) == 0 ? ip4(random, to) : ip6(random, to);
      break;
    case 228:
      ip4(random, to);
      break;
    case 229:
      ip6(random, to);
      break;
    default:
      ethernet(random, to);
  }
  return to.out;
}

Buffer randomPacket(Random& random, uint32_t link_type) {
  Buffer packet = wellFormedPacket(random, link_type);
  const uint64_t damage = random.below(8);
  if (damage < 2) {
    for (uint64_t n = random.below(4); n-- > 0 && !packet.empty();)
      packet[random.below(std::min<uint64_t>(packet.size(), 64))] = static_cast<uint8_t>(random.next());
  }
  if (damage == 1 || damage == 2) packet.resize(random.below(packet.size() + 1));
  return packet;
}

}  // namespace spillway::test
