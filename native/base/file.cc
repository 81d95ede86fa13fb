#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

namespace spillway {

int64_t readAt(int fd, uint8_t* to, size_t size, uint64_t offset) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = ::pread(fd, to + got, size - got, static_cast<off_t>(offset + got));
    if (n > 0) {
      got += static_cast<size_t>(n);
    } else if (n == 0) {
      break;
    } else if (errno != EINTR) {
      return -errno;
    }
  }
  return static_cast<int64_t>(got);
}

bool lockShared(int fd) { return ::flock(fd, LOCK_SH | LOCK_NB) == 0; }

bool openPipe(int ends[2]) { return ::pipe2(ends, O_CLOEXEC) == 0; }

int setPipeSize(int fd, int bytes) {
#ifdef F_SETPIPE_SZ
  return ::fcntl(fd, F_SETPIPE_SZ, bytes);
#else
  (void)fd;
  (void)bytes;
  return -1;
#endif
}

}  // namespace spillway
