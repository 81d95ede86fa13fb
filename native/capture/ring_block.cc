#include "capture/ring_block.h"

#include <linux/if_packet.h>

#include <algorithm>

namespace spillway::capture {
namespace {

constexpr uint16_t kUsualTagProtocol = 0x8100;  // 802.1Q, where the kernel does not tell
constexpr size_t kAddressAt = TPACKET_ALIGN(sizeof(tpacket3_hdr));

template <class T>
T loadAs(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

RingBlock::RingBlock(Bytes block) : block_(block) {
  if (block.size < sizeof(tpacket_block_desc)) return;
  const auto head = loadAs<tpacket_block_desc>(block.data).hdr.bh1;
  at_ = head.offset_to_first_pkt;
  left_ = head.num_pkts;
}

bool RingBlock::next(CapturedPacket* packet) {
  if (left_ == 0) return false;
  if (at_ > block_.size || block_.size - at_ < kAddressAt + sizeof(sockaddr_ll)) {
    left_ = 0;
    return false;
  }
  const uint8_t* frame = block_.data + at_;
  const size_t room = block_.size - at_;
  const auto head = loadAs<tpacket3_hdr>(frame);
  const auto address = loadAs<sockaddr_ll>(frame + kAddressAt);
  const size_t mac = std::min<size_t>(head.tp_mac, room);
  *packet = {};
  packet->data = frame + mac;
  packet->caplen = static_cast<uint32_t>(std::min<size_t>(head.tp_snaplen, room - mac));
  packet->wirelen = head.tp_len;
  packet->time = static_cast<Nanos>(head.tp_sec) * kNanosPerSecond + head.tp_nsec;
  packet->outgoing = address.sll_pkttype == PACKET_OUTGOING;
  packet->tagged = (head.tp_status & TP_STATUS_VLAN_VALID) != 0;
  packet->tag_control = static_cast<uint16_t>(head.hv1.tp_vlan_tci);
  packet->tag_protocol = (head.tp_status & TP_STATUS_VLAN_TPID_VALID) ? head.hv1.tp_vlan_tpid : kUsualTagProtocol;
  --left_;
  if (head.tp_next_offset == 0 || head.tp_next_offset > room) left_ = 0;
  else at_ += head.tp_next_offset;
  return true;
}

}  // namespace spillway::capture
