// Asks the index of a file what a scan has to read of it, and counts what it need not.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "index/sidecar_reader.h"
#include "scan/block_sums.h"

namespace spillway {

// Packets in the blocks that are left out.
struct SkippedPackets {
  uint64_t packets = 0;
  uint64_t in_windows = 0;  // of those: inside the time windows, and so left out by the filter
  uint64_t untimed = 0;
  uint64_t captured_bytes = 0;
};

struct ProbeAnswer {
  std::vector<BlockRun> runs;  // what is to be scanned, in order
  SkippedPackets skipped;
  SidecarTotals totals;            // of all that has an index; what lies behind totals.end is to be scanned, too
  std::vector<BlockEntry> blocks;  // of `runs`, where they were asked for: what BlockSums takes, as the next one
  Bytes state_behind_first;        // the sidecar's
  // Of what is left out right before each of `runs`, and behind the last: the largest time; kNanosMin without any.
  std::vector<Nanos> floors;
  std::optional<BlockEntry> first;
};

struct ProbeWishes {
  bool blocks = false;  // the entries of the blocks in the answer
  bool floors = false;
  bool first = false;  // the entry of the file's first block, with `state_behind_first`
};

inline BlockSum sumOf(const BlockEntry& block) { return {block.offset, block.end(), block.crc32c, block.describes}; }

// False and a reason where the index can't be used: then everything is to be scanned. A block that a filter excludes
// and a window's edge runs through is scanned all the same, so that every packet is counted on the right side of it.
bool probe(SidecarReader& sidecar, const IndexQuery& query, ProbeWishes wishes, ProbeAnswer* answer, std::string* why);

}  // namespace spillway
