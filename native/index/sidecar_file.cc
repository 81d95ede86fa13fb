#include "index/sidecar_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace spillway {

int SidecarFile::create(const std::string& path, SidecarFile* file) {
  SidecarFile made;
  made.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (made.fd_ < 0) return -errno;
  *file = std::move(made);
  return 0;
}

int SidecarFile::openExisting(const std::string& path, SidecarFile* file) {
  SidecarFile made;
  made.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (made.fd_ < 0) return -errno;
  *file = std::move(made);
  return 0;
}

SidecarFile::~SidecarFile() {
  if (fd_ >= 0) ::close(fd_);
}

int SidecarFile::write(Bytes bytes, uint64_t offset) {
  while (bytes.size != 0) {
    const ssize_t n = ::pwrite(fd_, bytes.data, bytes.size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) return -EIO;
    bytes = {bytes.data + n, bytes.size - static_cast<size_t>(n)};
    offset += static_cast<uint64_t>(n);
  }
  return 0;
}

int SidecarFile::truncate(uint64_t size) { return ::ftruncate(fd_, static_cast<off_t>(size)) == 0 ? 0 : -errno; }

int SidecarFile::sync() { return ::fdatasync(fd_) == 0 ? 0 : -errno; }

int64_t SidecarFile::size() const {
  struct stat status {};
  return ::fstat(fd_, &status) == 0 ? status.st_size : -errno;
}

int renameDurably(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return -errno;
  const size_t slash = to.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : to.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -errno;
  const int result = ::fsync(fd) == 0 ? 0 : -errno;
  ::close(fd);
  return result;
}

}  // namespace spillway
