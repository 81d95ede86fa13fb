// Where a sealed sidecar goes: into memory or into a file, with a checksum of each chunk.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "index/sidecar_file.h"

namespace spillway {

class SealedOutput {
 public:
  // The bytes are appended to `memory`, which is borrowed and empty.
  explicit SealedOutput(std::vector<uint8_t>* memory) : buffer_(memory) {}
  // They go into `file`, which is borrowed and empty, a megabyte at a time.
  explicit SealedOutput(SidecarFile* file) : file_(file), buffer_(&own_) {}

  // 0 or -errno, which stays: what follows is not written.
  int append(Bytes bytes);
  int append(const std::vector<uint8_t>& bytes) { return append(Bytes{bytes.data(), bytes.size()}); }
  // Writes what waits.
  int flush();
  uint64_t size() const { return size_; }
  // Of the bytes so far, the last chunk as long as it is.
  std::vector<uint32_t> chunkChecksums() const;

 private:
  SidecarFile* file_ = nullptr;
  std::vector<uint8_t> own_;
  std::vector<uint8_t>* buffer_;
  uint64_t written_ = 0;
  uint64_t size_ = 0;
  std::vector<uint32_t> checksums_;
  uint32_t chunk_crc_ = 0;
  int error_ = 0;
};

}  // namespace spillway
