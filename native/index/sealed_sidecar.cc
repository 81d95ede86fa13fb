#include "index/sealed_sidecar.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/crc32c.h"
#include "index/block_codec.h"
#include "index/page.h"
#include "index/sidecar_format.h"

namespace spillway {

using namespace sidecar;

namespace {

bool refuse(std::string* why, const char* text) {
  *why = text;
  return false;
}

bool readOr(const ByteSource& source, uint64_t offset, size_t bytes, uint8_t* to, std::string* why) {
  const int error = source.read(offset, bytes, to);
  if (error == 0) return true;
  *why = error == -ENODATA ? "it has become shorter" : std::string("it cannot be read: ") + std::strerror(-error);
  return false;
}

}  // namespace

bool SealedSidecar::open(const ByteSource& source, std::string* why) {
  source_ = source;
  if (source.size < kHeaderBytes + kFooterBytes) return refuse(why, "it is too short");
  uint8_t header[kHeaderBytes];
  uint32_t form = 0;
  if (!readOr(source, 0, sizeof header, header, why) || !decodeHeader(header, &form, &segment_id_, why)) return false;
  if (form != static_cast<uint32_t>(Form::sealed)) return refuse(why, "it is not sealed");

  uint8_t footer[kFooterBytes];
  if (!readOr(source, source.size - kFooterBytes, sizeof footer, footer, why)) return false;
  if (std::memcmp(footer, kEndMagic, sizeof kEndMagic) != 0) return refuse(why, "its end is missing");
  if (load32(footer + 28) != crc32c(footer, 28)) return refuse(why, "its end is damaged");
  const uint64_t trailer_bytes = load32(footer + 16);
  if (load64(footer + 8) != segment_id_ || trailer_bytes > source.size - kHeaderBytes - kFooterBytes)
    return refuse(why, "its end belongs to another file");
  body_bytes_ = source.size - kFooterBytes - trailer_bytes;
  std::vector<uint8_t> trailer(trailer_bytes);
  if (!readOr(source, body_bytes_, trailer.size(), trailer.data(), why)) return false;
  if (load32(footer + 24) != crc32c(trailer.data(), trailer.size())) return refuse(why, "its trailer is damaged");
  if (!decodeTrailer(trailer)) return refuse(why, "its trailer is malformed");
  return true;
}

bool SealedSidecar::decodeTrailer(const std::vector<uint8_t>& trailer) {
  Cursor in({trailer.data(), trailer.size()});
  if (in.u64() != segment_id_ || in.u64() != body_bytes_) return false;
  totals_.blocks = in.u64();
  totals_.packets = in.u64();
  totals_.untimed = in.u64();
  totals_.captured_bytes = in.u64();
  totals_.end = in.u64();
  totals_.min_time = static_cast<int64_t>(in.u64());
  totals_.max_time = static_cast<int64_t>(in.u64());

  const uint32_t states = in.u32();
  if (states > kMaxStates) return false;
  for (uint32_t n = 0; n < states; ++n) {
    const uint32_t bytes = in.u32();
    const uint8_t* state = in.take(bytes);
    if (state == nullptr) return false;
    states_.emplace_back(state, state + bytes);
  }
  const uint32_t groups = in.u32();
  uint64_t blocks = 0;
  uint64_t at = kHeaderBytes;
  for (uint32_t n = 0; n < groups; ++n) {
    GroupRecord record;
    if (!decodeGroupRecord(&in, &record) || record.at != at) return false;
    // Only the last group may be smaller, so that a block's number says its group.
    if (n + 1 < groups && record.blocks != kGroupBlocks) return false;
    at = record.end();
    blocks += record.blocks;
    groups_.push_back(record);
  }
  if (at != body_bytes_ || blocks != totals_.blocks) return false;
  const uint32_t chunks = in.u32();
  if (chunks != (body_bytes_ + kChunkBytes - 1) / kChunkBytes) return false;
  const uint8_t* checksums = in.take(size_t{4} * chunks);
  if (checksums == nullptr || in.left() != 0) return false;
  checksums_.resize(chunks);
  std::memcpy(checksums_.data(), checksums, size_t{4} * chunks);
  return true;
}

bool SealedSidecar::loadChunk(uint64_t chunk, std::string* why) {
  if (chunk == chunk_number_) return true;
  chunk_number_ = UINT64_MAX;
  const uint64_t offset = chunk * kChunkBytes;
  chunk_.resize(std::min<uint64_t>(kChunkBytes, body_bytes_ - offset));
  if (!readOr(source_, offset, chunk_.size(), chunk_.data(), why)) return false;
  if (crc32c(chunk_.data(), chunk_.size()) != checksums_[chunk]) {
    *why = "it is damaged between bytes " + std::to_string(offset) + " and " + std::to_string(offset + chunk_.size());
    return false;
  }
  chunk_number_ = chunk;
  return true;
}

bool SealedSidecar::read(uint64_t offset, size_t bytes, uint8_t* to, std::string* why) {
  if (offset > body_bytes_ || bytes > body_bytes_ - offset) return refuse(why, "a part of it lies beyond its end");
  while (bytes != 0) {
    if (!loadChunk(offset / kChunkBytes, why)) return false;
    const size_t in_chunk = offset % kChunkBytes;
    const size_t part = std::min(bytes, chunk_.size() - in_chunk);
    std::memcpy(to, chunk_.data() + in_chunk, part);
    offset += part;
    to += part;
    bytes -= part;
  }
  return true;
}

bool SealedSidecar::entry(const GroupRecord& group, uint32_t block, BlockEntry* entry, std::string* why) {
  uint8_t bytes[kEntryBytes];
  if (!read(group.entriesAt() + uint64_t{kEntryBytes} * block, sizeof bytes, bytes, why)) return false;
  if (!decodeEntry(bytes, entry) || entry->state >= states_.size()) return refuse(why, "an entry of it is malformed");
  return true;
}

}  // namespace spillway
