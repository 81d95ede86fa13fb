#include "base/pages.h"

#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#ifdef __linux__
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#endif

namespace spillway {
namespace {

#ifdef __linux__
uintptr_t pageBytes() {
  static const auto bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

uintptr_t roundUp(uintptr_t address) { return (address + pageBytes() - 1) & ~(pageBytes() - 1); }
uintptr_t roundDown(uintptr_t address) { return address & ~(pageBytes() - 1); }

// The whole pages that lie within `memory`.
Memory wholePages(Memory memory) {
  const auto begin = reinterpret_cast<uintptr_t>(memory.data);
  const uintptr_t first = roundUp(begin), last = roundDown(begin + memory.size);
  if (first >= last) return {};
  return {reinterpret_cast<uint8_t*>(first), last - first};
}

// The next bytes: up to a page's beginning they are copied, whole pages are given, and the rest is copied.
ssize_t writeNext(int fd, const uint8_t* from, size_t size) {
  const auto address = reinterpret_cast<uintptr_t>(from);
  const uintptr_t page = roundUp(address);
  if (page != address) return ::write(fd, from, std::min<size_t>(size, page - address));
  const size_t whole = roundDown(size);
  if (whole == 0) return ::write(fd, from, size);
  const iovec pages{const_cast<uint8_t*>(from), whole};
  return ::vmsplice(fd, &pages, 1, 0);
}
#endif

}  // namespace

#ifdef __linux__
size_t adviseLargePages(Memory memory) {
  const Memory whole = wholePages(memory);
  if (whole.size != 0) ::madvise(whole.data, whole.size, MADV_HUGEPAGE);
  const size_t offset =
      (kLargePageBytes - reinterpret_cast<uintptr_t>(memory.data) % kLargePageBytes) % kLargePageBytes;
  return offset < memory.size ? offset : 0;
}

void dropPages(Memory memory) {
  const Memory whole = wholePages(memory);
  if (whole.size != 0) ::madvise(whole.data, whole.size, MADV_DONTNEED);
}

int givePages(int fd, Memory memory, const uint8_t* from, size_t size) {
  if (::fcntl(fd, F_GETPIPE_SZ) < 0) return -EINVAL;
  size_t done = 0;
  int error = 0;
  while (done < size && error == 0) {
    const ssize_t n = writeNext(fd, from + done, size - done);
    if (n >= 0) {
      done += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  // New ones take their place here, the old ones are the pipe's.
  dropPages(memory);
  return -error;
}
#else
size_t adviseLargePages(Memory) { return 0; }

void dropPages(Memory) {}

int givePages(int, Memory, const uint8_t*, size_t) { return -EINVAL; }
#endif

}  // namespace spillway
