// Sums over the blocks of a segment.
#pragma once
#include <algorithm>
#include <cstdint>

#include "index/block.h"

namespace spillway {

struct SidecarTotals {
  uint64_t blocks = 0;
  uint64_t packets = 0;
  uint64_t untimed = 0;  // of those: without a time
  uint64_t captured_bytes = 0;
  uint64_t end = 0;    // offset in the segment behind the last block: what follows is to be scanned
  Nanos min_time = 0;  // of the packets that have one; both 0 where none has
  Nanos max_time = 0;

  bool timed() const { return packets != untimed; }
  void add(const BlockEntry& entry) {
    if (entry.timed()) {
      min_time = timed() ? std::min(min_time, entry.min_time) : entry.min_time;
      max_time = timed() ? std::max(max_time, entry.max_time) : entry.max_time;
    }
    ++blocks;
    packets += entry.packets;
    untimed += entry.untimed;
    captured_bytes += entry.captured_bytes;
    end = entry.end();
  }
  friend bool operator==(const SidecarTotals&, const SidecarTotals&) = default;
};

}  // namespace spillway
