// From a captured packet to the block that is stored: the tag put back, the job's program run, cut to the snap length.
#pragma once
#include <memory>

#include "capture/captured.h"
#include "filter/program.h"

namespace spillway::capture {

class Shaper {
 public:
  // `program` may be null: all packets are wanted. It is run on the whole packet; the cut comes after it.
  Shaper(const Program* program, uint32_t snap_bytes) : program_(program), snap_(snap_bytes) {}

  // The most bytes that put() may write.
  size_t bound(const CapturedPacket& packet) const;

  // Writes the packet's block at `to`, which has room for bound(). Returns its size; 0 where the packet is not wanted,
  // whatever was written.
  size_t put(uint8_t* to, const CapturedPacket& packet) const;

 private:
  bool wants(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const;

  const Program* program_;
  uint32_t snap_;
};

}  // namespace spillway::capture
