// Reading one block of a TPACKET_V3 ring (linux/if_packet.h): the packets that the kernel put there.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "capture/captured.h"

namespace spillway::capture {

// Walks the packets of a block that belongs to us. Every offset is checked against the block; one that leads outside
// ends the walk.
class RingBlock {
 public:
  RingBlock() = default;
  explicit RingBlock(Bytes block);
  // The next packet, pointing into the block; false at the end.
  bool next(CapturedPacket* packet);
  // Packets that next() has not given yet.
  uint32_t left() const { return left_; }

 private:
  Bytes block_;
  size_t at_ = 0;
  uint32_t left_ = 0;
};

}  // namespace spillway::capture
