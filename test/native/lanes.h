// Lanes of a merge: files cut into stretches at record boundaries.
#pragma once
#include <string>
#include <vector>

#include "buffer.h"
#include "random.h"
#include "scan/source_reader.h"

namespace spillway::test {

// Where a stretch of a lane begins: the reader's state there (none at the start of a file), and until when the lane may
// be idle before it so that nothing comes out otherwise.
struct Cut {
  uint64_t offset;
  Buffer state;
  Nanos idle_until;
};

// All places where a file can be cut; the first is its start.
inline std::vector<Cut> cutsOf(const Buffer& bytes) {
  std::vector<Cut> cuts = {{0, {}, kNanosMin}};
  SourceReader reader;
  size_t at = 0;
  std::string why;
  if (reader.start(bytesOf(bytes), &at, &why) != Next::section) return cuts;
  for (bool any = false;;) {
    const Buffer state = reader.state();
    Packet packet;
    const Next next = reader.pcap ? reader.pcap->next(bytes.data() + at, bytes.size() - at, &packet)
                                  : reader.pcapng.next(bytes.data() + at, bytes.size() - at, &packet);
    const bool timed = next == Next::packet && (reader.pcap || packet.has_time);
    if (at != 0) cuts.push_back({at, state, timed ? packet.time : kNanosMin});
    if (next == Next::need_more || next == Next::damage) return cuts;
    // Its first packet is what a source's turn comes with.
    if (next == Next::packet && !any) cuts[0].idle_until = timed ? packet.time : kNanosMin;
    any |= next == Next::packet;
    at += packet.record.size;
  }
}

// Some of them, some of those twice: the stretch between is empty.
inline std::vector<Cut> someCutsOf(const Buffer& bytes, Random& random) {
  std::vector<Cut> some;
  const uint64_t rarity = 1 + random.below(6);
  for (const Cut& cut : cutsOf(bytes)) {
    if (!some.empty() && random.below(rarity) != 0) continue;
    some.push_back(cut);
    if (cut.offset != 0 && random.below(8) == 0) some.push_back(cut);
  }
  return some;
}

}  // namespace spillway::test
