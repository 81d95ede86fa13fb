// Reads a sidecar of either form and tells which blocks of its segment may hold what is looked for.
//
// Nothing is believed that its checksum does not cover. A block is left out only where the index proves that no packet
// of it is wanted; so an answer may hold too much, never too little. Where a call fails, the whole segment is to be
// scanned.
//
// Of a sealed sidecar a look-up reads some pieces of 4 KiB. An open one is read whole when it is opened, and turned
// into the sealed form in memory: about 20 ms for each 256 MiB of mixed packets. A reader is for one thread at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "index/block.h"
#include "index/need.h"
#include "index/time_spans.h"
#include "index/totals.h"

namespace spillway {

// What is looked for.
struct IndexQuery {
  // The needs of the filters, for each link type they were compiled for; where several are about one link type, all
  // of them hold. Of a link type that is not named here every packet is wanted.
  struct LinkNeeds {
    uint32_t link_type;
    Needs needs;
  };
  std::vector<LinkNeeds> needs;
  // In any order; none: every time, and packets without a time, too. Such packets are in no span.
  std::vector<TimeSpan> spans;
  // Also the blocks that describe interfaces, which the output needs whatever is wanted.
  bool descriptions = true;
};

// Blocks that stand one behind another, each of them read in the same state.
struct BlockRun {
  uint64_t offset = 0;  // in the segment
  uint64_t length = 0;  // bytes
  uint64_t first_block = 0;
  uint64_t blocks = 0;
  uint32_t state = 0;  // of the reader at `offset`: SidecarReader::state
  uint64_t packets = 0;
  uint64_t untimed = 0;
  uint64_t captured_bytes = 0;
  friend bool operator==(const BlockRun&, const BlockRun&) = default;
};

struct ByteSource;
class SealedSidecar;

class SidecarReader {
 public:
  // `fd` is borrowed as long as the reader lives; it is read with pread alone. Returns nothing and a reason where the
  // file is no sidecar of this version, or is damaged.
  static std::unique_ptr<SidecarReader> open(int fd, std::string* why);
  // The same of bytes in memory, borrowed.
  static std::unique_ptr<SidecarReader> open(Bytes bytes, std::string* why);
  ~SidecarReader();

  uint64_t segmentId() const;
  bool sealed() const { return sealed_; }
  // The open form goes on behind its last whole page: it is being written, or damaged; what can't be used isn't.
  bool torn() const { return torn_; }
  const SidecarTotals& totals() const;
  // The bytes that a reader's state was given as. Empty: that at the start of a file.
  Bytes state(uint32_t id) const;

  // Appends the entries of `count` blocks from number `first` on, in order; there are that many. False and a reason on
  // damage or an error of reading.
  bool entries(uint64_t first, uint64_t count, std::vector<BlockEntry>* entries, std::string* why);
  // All of them.
  bool entries(std::vector<BlockEntry>* entries, std::string* why);

  // The blocks that may hold a wanted packet, in order, neighbours of the same state joined. False as above.
  bool candidates(const IndexQuery& query, std::vector<BlockRun>* runs, std::string* why);

 private:
  SidecarReader();
  static std::unique_ptr<SidecarReader> open(const ByteSource& source, std::string* why);

  std::vector<uint8_t> image_;  // of an open sidecar: its sealed form
  std::unique_ptr<SealedSidecar> sidecar_;
  bool sealed_ = false;
  bool torn_ = false;
};

}  // namespace spillway
