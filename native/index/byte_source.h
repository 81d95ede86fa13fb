// The bytes of a file, or bytes in memory: both are borrowed.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace spillway {

struct ByteSource {
  int fd = -1;  // -1: memory
  Bytes memory;
  uint64_t size = 0;

  static ByteSource of(Bytes bytes) { return {-1, bytes, bytes.size}; }
  // Its size is the file's now; what is appended later is not looked at. 0 or -errno.
  static int of(int fd, ByteSource* source);

  // Reads exactly `bytes` at `offset`. 0, -errno, or -ENODATA where it has not so many.
  int read(uint64_t offset, size_t bytes, uint8_t* to) const;
};

}  // namespace spillway
