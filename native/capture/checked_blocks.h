// The blocks of a segment under construction, held against its sidecar: whose bytes are as they were written, and what
// takes the place of those that are not. For recovery.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "index/block.h"

namespace spillway::capture {

struct CheckedBlocks {
  uint64_t end = 0;                 // behind the last block that is believed, damaged ones below `marked` included
  std::vector<BlockEntry> damaged;  // in order
  std::vector<uint8_t> state;       // the reader's, behind the segment's header (scan/state.h)
};

// Reads the blocks that the sidecar of segment `id` knows within the first `size` bytes of the file. A damaged one that
// begins at `marked` or behind it ends what is believed. A sidecar that can't be used vouches for nothing.
CheckedBlocks checkBlocks(int fd, uint64_t size, const std::string& sidecar, uint64_t id, uint64_t marked);

// Writes over every damaged block with one of statistics that holds nothing, of the same length; the first block of the
// file gets its header anew, for the interface of that name. 0 or -errno.
int replaceDamaged(int fd, const CheckedBlocks& blocks, const std::string& interface);

}  // namespace spillway::capture
