#include "capture/files.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "base/file.h"

namespace spillway::capture {

Fd openFile(const std::string& path, int flags, int* error) {
  Fd fd;
  do {
    fd.reset(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0640));
  } while (!fd && errno == EINTR);
  *error = fd ? 0 : errno;
  struct stat found;
  if (fd && (::fstat(fd.get(), &found) != 0 || !S_ISREG(found.st_mode))) {
    *error = EINVAL;
    fd.reset();
  }
  return fd;
}

int writeAllAt(int fd, const std::vector<iovec>& pieces, uint64_t offset, uint64_t* written) {
  *written = 0;
  std::vector<iovec> left = pieces;
  size_t first = 0;
  while (first < left.size()) {
    if (left[first].iov_len == 0) {
      ++first;
      continue;
    }
    constexpr size_t kVectors = 256;  // below IOV_MAX
    const size_t count = std::min(left.size() - first, kVectors);
    ssize_t n = ::pwritev(fd, &left[first], static_cast<int>(count), static_cast<off_t>(offset + *written));
    if (n < 0) {
      if (errno == EINTR) continue;
      return -errno;
    }
    *written += static_cast<uint64_t>(n);
    for (; n > 0 && static_cast<size_t>(n) >= left[first].iov_len; ++first)
      n -= static_cast<ssize_t>(left[first].iov_len);
    if (n > 0) {
      left[first].iov_base = static_cast<uint8_t*>(left[first].iov_base) + n;
      left[first].iov_len -= static_cast<size_t>(n);
    }
  }
  return 0;
}

int writeAllAt(int fd, Bytes bytes, uint64_t offset) {
  uint64_t written;
  return writeAllAt(fd, {iovec{const_cast<uint8_t*>(bytes.data), bytes.size}}, offset, &written);
}

int readWhole(const std::string& path, size_t max, std::vector<uint8_t>* to) {
  int error;
  const Fd fd = openFile(path, O_RDONLY, &error);
  if (!fd) return -error;
  struct stat found;
  if (::fstat(fd.get(), &found) != 0) return -errno;
  if (static_cast<uint64_t>(found.st_size) > max) return -EFBIG;
  to->resize(static_cast<size_t>(found.st_size));
  const int64_t got = readAt(fd.get(), to->data(), to->size(), 0);
  if (got < 0) return static_cast<int>(got);
  to->resize(static_cast<size_t>(got));
  return 0;
}

int writeWhole(const std::string& path, Bytes bytes) {
  const std::string temporary = path + ".tmp";
  int error;
  Fd fd = openFile(temporary, O_WRONLY | O_CREAT | O_TRUNC, &error);
  if (!fd) return -error;
  int result = writeAllAt(fd.get(), bytes, 0);
  if (result == 0 && ::fsync(fd.get()) != 0) result = -errno;
  fd.reset();
  if (result == 0) result = renameFile(temporary, path);
  if (result != 0) removeFile(temporary);
  return result;
}

int preallocate(int fd, uint64_t bytes) {
  int result;
  do {
    result = ::fallocate(fd, 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : -errno;
  } while (result == -EINTR);
  if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
  return ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : -errno;
}

void pushOut(int fd, uint64_t offset, uint64_t bytes) {
  ::sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

int syncFolder(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return -errno;
  return ::fsync(fd.get()) == 0 ? 0 : -errno;
}

int removeFile(const std::string& path) { return ::unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : -errno; }

int renameFile(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : -errno;
}

int makeFolder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return 0;
  if (errno != EEXIST) return -errno;
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return -errno;
  return S_ISDIR(found.st_mode) ? 0 : -ENOTDIR;
}

}  // namespace spillway::capture
