// Reading at an offset, and the capacity of pipes.
#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "check.h"
#include "drive.h"

namespace spillway::test {

TEST("readAt gives what is there") {
  const MemoryFile file(Buffer{1, 2, 3, 4, 5});
  uint8_t to[8] = {};
  CHECK_EQ(readAt(file.fd(), to, 3, 0), 3);
  CHECK_EQ(to[2], 3);
  CHECK_EQ(readAt(file.fd(), to, 8, 3), 2);
  CHECK_EQ(to[0], 4);
  CHECK_EQ(readAt(file.fd(), to, 8, 5), 0);
  CHECK_EQ(readAt(file.fd(), to, 8, 1ull << 40), 0);
  CHECK_EQ(readAt(file.fd(), to, 0, 0), 0);
}

TEST("readAt tells why it can't read") {
  uint8_t byte = 0;
  CHECK_EQ(readAt(-1, &byte, 1, 0), -EBADF);
  const MemoryFile file(Buffer{1});
  CHECK_EQ(readAt(file.fd(), &byte, 1, 1ull << 63), -EINVAL);
  const int folder = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK_EQ(readAt(folder, &byte, 1, 0), -EISDIR);
  ::close(folder);
  int ends[2];
  CHECK_EQ(::pipe(ends), 0);
  CHECK_EQ(readAt(ends[0], &byte, 1, 0), -ESPIPE);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST("a pipe's capacity is set, and nothing else's") {
  int ends[2];
  CHECK_EQ(::pipe(ends), 0);
  CHECK_EQ(setPipeSize(ends[1], 128 << 10), 128 << 10);
  ::close(ends[0]);
  ::close(ends[1]);
  const MemoryFile file(Buffer{1});
  CHECK_EQ(setPipeSize(file.fd(), 128 << 10), -1);
  CHECK_EQ(setPipeSize(-1, 128 << 10), -1);
}

}  // namespace spillway::test
