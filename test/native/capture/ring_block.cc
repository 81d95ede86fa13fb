// Blocks of a TPACKET_V3 ring, as the kernel lays them out and as it never should.
#include "capture/ring_block.h"

#include <linux/if_packet.h>

#include "check.h"

namespace spillway::test {

using namespace capture;

namespace {

constexpr size_t kFirst = 48;

struct Frame {
  Buffer data;
  uint32_t status = 0;
  uint16_t tci = 0;
  uint16_t tpid = 0;
  uint8_t type = PACKET_HOST;
};

Buffer blockOf(const std::vector<Frame>& frames) {
  Buffer block(kFirst);
  for (size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const size_t mac = TPACKET_ALIGN(sizeof(tpacket3_hdr)) + sizeof(sockaddr_ll) + 6;
    const size_t size = TPACKET_ALIGN(mac + frame.data.size());
    tpacket3_hdr head{};
    head.tp_next_offset = i + 1 == frames.size() ? 0 : static_cast<uint32_t>(size);
    head.tp_sec = 5;
    head.tp_nsec = static_cast<uint32_t>(7 + i);
    head.tp_snaplen = static_cast<uint32_t>(frame.data.size());
    head.tp_len = head.tp_snaplen + 1;
    head.tp_status = frame.status;
    head.tp_mac = static_cast<uint16_t>(mac);
    head.hv1.tp_vlan_tci = frame.tci;
    head.hv1.tp_vlan_tpid = frame.tpid;
    sockaddr_ll address{};
    address.sll_pkttype = frame.type;
    const size_t at = block.size();
    block.resize(at + size);
    std::memcpy(block.data() + at, &head, sizeof head);
    std::memcpy(block.data() + at + TPACKET_ALIGN(sizeof head), &address, sizeof address);
    std::memcpy(block.data() + at + mac, frame.data.data(), frame.data.size());
  }
  tpacket_block_desc description{};
  description.hdr.bh1.num_pkts = static_cast<uint32_t>(frames.size());
  description.hdr.bh1.offset_to_first_pkt = kFirst;
  std::memcpy(block.data(), &description, sizeof description);
  return block;
}

}  // namespace

TEST("packets of a block") {
  const Exact block(blockOf({{Buffer(60, 1)}, {Buffer(3, 2)}, {Buffer(61, 3), 0, 0, 0, PACKET_OUTGOING}}));
  RingBlock walk(block.bytes());
  CapturedPacket packet;
  CHECK_EQ(walk.left(), 3u);
  CHECK(walk.next(&packet));
  CHECK_EQ(packet.caplen, 60u);
  CHECK_EQ(packet.wirelen, 61u);
  CHECK_EQ(packet.time, 5'000'000'007);
  CHECK(!packet.tagged && !packet.outgoing);
  CHECK(walk.next(&packet));
  CHECK_EQ(packet.caplen, 3u);
  CHECK_EQ(packet.data[0], 2);
  CHECK(walk.next(&packet));
  CHECK(packet.outgoing);
  CHECK_EQ(packet.data[60], 3);
  CHECK(!walk.next(&packet));
  CHECK_EQ(walk.left(), 0u);
}

TEST("tags that the kernel took out") {
  const uint32_t valid = TP_STATUS_VLAN_VALID;
  const Exact block(blockOf({{Buffer(60, 1), valid | TP_STATUS_VLAN_TPID_VALID, 0x6005, 0x88a8},
                             {Buffer(60, 1), valid, 7, 0x1234},
                             {Buffer(60, 1), TP_STATUS_VLAN_TPID_VALID, 7, 0x8100}}));
  RingBlock walk(block.bytes());
  CapturedPacket packet;
  CHECK(walk.next(&packet));
  CHECK(packet.tagged);
  CHECK_EQ(packet.tag_control, 0x6005);
  CHECK_EQ(packet.tag_protocol, 0x88a8);
  CHECK_EQ(packet.wholeCaplen(), 64u);
  CHECK_EQ(packet.wholeWirelen(), 65u);
  CHECK(walk.next(&packet));
  CHECK(packet.tagged);
  CHECK_EQ(packet.tag_protocol, 0x8100);
  CHECK(walk.next(&packet));
  CHECK(!packet.tagged);
}

TEST("every cut and every flipped byte stays within the block") {
  const Buffer whole = blockOf({{Buffer(20, 1)}, {Buffer(3, 2)}});
  const auto walkAll = [](Bytes bytes) {
    RingBlock walk(bytes);
    uint32_t sum = 0, count = 0;
    for (CapturedPacket packet; walk.next(&packet); ++count) {
      for (uint32_t i = 0; i < packet.caplen; ++i) sum += packet.data[i];
      if (count > 1000) return sum;
    }
    return sum;
  };
  for (size_t size = 0; size < whole.size(); ++size) walkAll(Exact(whole.data(), size).bytes());
  for (size_t at = 0; at < whole.size(); ++at)
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      Buffer damaged = whole;
      damaged[at] ^= flip;
      walkAll(Exact(damaged).bytes());
    }
}

}  // namespace spillway::test
