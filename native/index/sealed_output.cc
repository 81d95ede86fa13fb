#include "index/sealed_output.h"

#include <algorithm>

#include "base/crc32c.h"
#include "index/sidecar_format.h"

namespace spillway {
namespace {

constexpr size_t kWriteBytes = 1u << 20;

}  // namespace

int SealedOutput::append(Bytes bytes) {
  buffer_->insert(buffer_->end(), bytes.data, bytes.data + bytes.size);
  while (bytes.size != 0) {
    const size_t in_chunk = size_ % sidecar::kChunkBytes;
    const size_t part = std::min(bytes.size, sidecar::kChunkBytes - in_chunk);
    chunk_crc_ = crc32c(bytes.data, part, chunk_crc_);
    size_ += part;
    if (in_chunk + part == sidecar::kChunkBytes) {
      checksums_.push_back(chunk_crc_);
      chunk_crc_ = 0;
    }
    bytes = {bytes.data + part, bytes.size - part};
  }
  return file_ != nullptr && buffer_->size() >= kWriteBytes ? flush() : error_;
}

int SealedOutput::flush() {
  if (file_ == nullptr || error_ != 0) return error_;
  error_ = file_->write({buffer_->data(), buffer_->size()}, written_);
  written_ += buffer_->size();
  buffer_->clear();
  return error_;
}

std::vector<uint32_t> SealedOutput::chunkChecksums() const {
  std::vector<uint32_t> all = checksums_;
  if (size_ % sidecar::kChunkBytes != 0) all.push_back(chunk_crc_);
  return all;
}

}  // namespace spillway
