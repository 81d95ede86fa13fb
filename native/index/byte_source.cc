#include "index/byte_source.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"

namespace spillway {

int ByteSource::of(int fd, ByteSource* source) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return -errno;
  *source = {fd, {}, static_cast<uint64_t>(status.st_size)};
  return 0;
}

int ByteSource::read(uint64_t offset, size_t bytes, uint8_t* to) const {
  if (offset > size || bytes > size - offset) return -ENODATA;
  if (bytes == 0) return 0;
  if (fd < 0) {
    std::memcpy(to, memory.data + offset, bytes);
    return 0;
  }
  const int64_t got = readAt(fd, to, bytes, offset);
  if (got < 0) return static_cast<int>(got);
  return static_cast<size_t>(got) == bytes ? 0 : -ENODATA;
}

}  // namespace spillway
