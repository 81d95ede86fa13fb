// The index of a segment while it is written: blocks are built as packets go by, and their entries put into the
// sidecar. An index that fails ends; the segment goes on without it, and gets another at the next start.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "format/packet.h"
#include "index/block_builder.h"
#include "index/sidecar_writer.h"

namespace spillway::capture {

class SegmentIndex {
 public:
  // Begins the sidecar at `path`. `header`: the segment's first bytes; all its packets have this link type and snap
  // length. Returns 0 or -errno.
  int begin(const std::string& path, uint64_t segment_id, const Interface& interface, Bytes header);

  // The next packet. Its record lies behind that of the one before; the bytes stay as they are until release().
  void add(const Packet& packet) {
    if (!sidecar_) return;
    extend(packet.record);
    builder_.add(packet, link_type_);
    end_ += packet.record.size;
    if (builder_.full(end_)) closeBlock();
  }
  // The next block that is no packet.
  void addOther(Bytes block);

  // Lets go of the bytes given until now.
  void release();

  // Writes the entries of closed blocks. Returns 0, or -errno: then tried again with the next call.
  int flush();
  // Closes the last block, writes its entry, and hands the sidecar over, to be sealed; null where there is none.
  std::unique_ptr<SidecarWriter> complete();
  // There is no index any more; the sidecar is removed.
  void abandon();

 private:
  void extend(Bytes record) {
    if (run_.data + run_.size != record.data) {
      release();
      run_ = record;
    } else {
      run_.size += record.size;
    }
  }
  void closeBlock();

  std::string path_;
  std::unique_ptr<SidecarWriter> sidecar_;
  BlockBuilder builder_;
  uint32_t link_type_ = 0;
  uint32_t state_ = 0;  // behind the header
  uint64_t begin_ = 0;  // of the block under construction
  uint64_t end_ = 0;
  uint32_t checksum_ = 0;  // of the block's bytes before run_
  Bytes run_;              // of the block, one behind another in memory; borrowed
};

}  // namespace spillway::capture
