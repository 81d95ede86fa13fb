// A sealed sidecar, opened: its trailer is read and checked, everything else when it is asked for.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "index/byte_source.h"
#include "index/group_record.h"
#include "index/totals.h"

namespace spillway {

class SealedSidecar {
 public:
  // False and a reason where `source` is no whole sealed sidecar.
  bool open(const ByteSource& source, std::string* why);

  uint64_t segmentId() const { return segment_id_; }
  const SidecarTotals& totals() const { return totals_; }
  const std::vector<std::vector<uint8_t>>& states() const { return states_; }
  const std::vector<GroupRecord>& groups() const { return groups_; }

  // Reads from the body, and checks what it reads. False and a reason otherwise; then nothing in `to` may be used.
  bool read(uint64_t offset, size_t bytes, uint8_t* to, std::string* why);
  // Entry `block` of a group, counted from the group's first.
  bool entry(const GroupRecord& group, uint32_t block, BlockEntry* entry, std::string* why);

 private:
  bool decodeTrailer(const std::vector<uint8_t>& trailer);
  bool loadChunk(uint64_t chunk, std::string* why);

  ByteSource source_;
  uint64_t segment_id_ = 0;
  uint64_t body_bytes_ = 0;
  SidecarTotals totals_;
  std::vector<std::vector<uint8_t>> states_;
  std::vector<GroupRecord> groups_;
  std::vector<uint32_t> checksums_;  // of the body's chunks
  // The chunk read last.
  std::vector<uint8_t> chunk_;
  uint64_t chunk_number_ = UINT64_MAX;
};

}  // namespace spillway
