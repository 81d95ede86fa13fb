// Reads a segment from its first byte: what of it is whole, and what it holds. For recovery.
#pragma once
#include <cstdint>
#include <string>

#include "base/time.h"
#include "format/packet.h"

namespace spillway::capture {

struct SegmentScan {
  uint64_t end = 0;  // behind the last whole block
  uint64_t packets = 0;
  Nanos smallest = 0;
  Nanos largest = 0;
  bool described = false;   // there is a section with an interface
  bool statistics = false;  // the last block is the statistics that end a segment
};

// Walks the whole blocks within the first `limit` bytes; ends at the first that is not one. 0 or -errno.
int scanSegment(int fd, uint64_t limit, SegmentScan* scan);

// Makes the sidecar of a segment that is whole up to `end`, in its sealed form at `path`. 0 or -errno.
int makeSidecar(int fd, uint64_t end, uint64_t segment_id, const std::string& path);

}  // namespace spillway::capture
