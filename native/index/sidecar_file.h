// A file that is written: owned, closed with its owner. Nothing is buffered.
#pragma once
#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace spillway {

class SidecarFile {
 public:
  SidecarFile() = default;
  // Creates or empties `path` (mode 0640), or opens what is there; -errno where that fails.
  static int create(const std::string& path, SidecarFile* file);
  static int openExisting(const std::string& path, SidecarFile* file);
  SidecarFile(SidecarFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  SidecarFile& operator=(SidecarFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~SidecarFile();

  int fd() const { return fd_; }
  // Each returns 0 or -errno. A failed write may have written a part.
  int write(Bytes bytes, uint64_t offset);
  int truncate(uint64_t size);
  int sync();
  // Its size, or -errno.
  int64_t size() const;

 private:
  int fd_ = -1;
};

// The file at `from` takes the place of the one at `to`, durably: the folder is synced, too. 0 or -errno.
int renameDurably(const std::string& from, const std::string& to);

}  // namespace spillway
