// Segments at random, as blocks of packets; their sidecars; and what a query should find in them.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "buffer.h"
#include "index/block.h"
#include "index/sidecar_reader.h"
#include "index/sidecar_writer.h"
#include "random.h"

namespace spillway::test {

struct IndexedPacket {
  Buffer data;
  uint32_t link_type = 1;
  bool has_time = true;
  Nanos time = 0;
  std::vector<Key> keys;
};

struct PacketBlock {
  std::vector<IndexedPacket> packets;
  bool describes = false;
  size_t state = 0;     // index in Segment::states
  uint32_t length = 1;  // bytes: what the packets add up to does not matter here
};

struct Segment {
  uint64_t id = 7;
  std::vector<Buffer> states = {{}};
  std::vector<PacketBlock> blocks;
};

// An Ethernet frame with these fields; VLAN 0: no tag. TCP.
Buffer frame(uint32_t source, uint32_t destination, uint16_t source_port, uint16_t destination_port, uint16_t vlan = 0,
             uint64_t mac = 0x020000000001);
IndexedPacket packetOf(Buffer data, Nanos time, uint32_t link_type = 1);

// Packets of many kinds and link types, times that step backwards and are missing, a few states and descriptions.
// `spread`: addresses and ports come from few values (1) or from ever more.
Segment randomSegment(Random& random, size_t blocks, size_t most_packets, uint32_t spread);

// A folder of its own, removed with what is in it.
class SidecarFolder {
 public:
  SidecarFolder();
  ~SidecarFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Buffer contentsOf(const std::string& path);
void writeContents(const std::string& path, const Buffer& bytes);

// Builds the blocks from number `first` up to `last` and adds them; `flushed`: after which blocks a page ends.
void addBlocks(const Segment& segment, size_t first, size_t last, SidecarWriter* writer,
               const std::function<bool(size_t)>& flushed);

struct Sidecars {
  Buffer open;
  Buffer sealed;
};
// `page_every`: blocks in a page.
Sidecars sidecarsOf(const Segment& segment, size_t page_every);

// The entry that a block should have.
std::vector<BlockEntry> wantedEntries(const Segment& segment);

// Does the packet have what its link type needs, at a wanted time?
bool wants(const IndexQuery& query, const IndexedPacket& packet);
// The numbers of the blocks that hold a wanted packet or describe.
std::vector<bool> wantedBlocks(const IndexQuery& query, const Segment& segment);
// The blocks of runs, one by one.
std::vector<bool> blocksOf(const std::vector<BlockRun>& runs, size_t blocks);

// Asks for keys that packets of the segment have, for neighbours of theirs, ranges, and for times.
IndexQuery randomQuery(Random& random, const Segment& segment);
std::string shown(const IndexQuery& query);

}  // namespace spillway::test
