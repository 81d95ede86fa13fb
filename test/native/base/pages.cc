// Giving pages to a pipe: the reader gets what was there, whatever becomes of the memory.
#include "base/pages.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "buffer.h"
#include "check.h"
#include "drive.h"

namespace spillway::test {
namespace {

constexpr size_t kBytes = 5u << 20;

// Private anonymous memory with a pattern in it, beginning `skip` bytes into a page.
class Mapped {
 public:
  explicit Mapped(size_t skip) : skip_(skip) {
    base_ = static_cast<uint8_t*>(
        ::mmap(nullptr, kBytes + skip, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t i = 0; i < kBytes; ++i) data()[i] = at(i);
  }
  ~Mapped() { ::munmap(base_, kBytes + skip_); }
  uint8_t* data() const { return base_ + skip_; }
  Memory memory() const { return {data(), kBytes}; }
  static uint8_t at(size_t i) { return static_cast<uint8_t>(i * 31 + (i >> 12)); }

 private:
  size_t skip_;
  uint8_t* base_;
};

Buffer readAll(int fd) {
  Buffer all, part(1u << 16);
  for (;;) {
    const ssize_t n = ::read(fd, part.data(), part.size());
    if (n <= 0) return all;
    all.insert(all.end(), part.begin(), part.begin() + n);
  }
}

// What a reader gets of `size` bytes from `offset` on; the memory is overwritten before it reads the last of them.
bool arrives(size_t skip, size_t offset, size_t size, int flags) {
  const Mapped mapped(skip);
  int ends[2];
  if (::pipe2(ends, flags) != 0) return false;
  ::fcntl(ends[0], F_SETFL, 0);
  Buffer got;
  std::thread reader([&] {
    pollfd any{ends[0], POLLIN, 0};
    ::poll(&any, 1, -1);
    got = readAll(ends[0]);
  });
  const int error = givePages(ends[1], mapped.memory(), mapped.data() + offset, size);
  std::memset(mapped.data(), 0xee, kBytes);
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  if (error != 0 || got.size() != size) return false;
  for (size_t i = 0; i < size; ++i)
    if (got[i] != Mapped::at(offset + i)) return false;
  return true;
}

}  // namespace

TEST("pages given to a pipe arrive, wherever they begin and end") {
  for (const size_t skip : {size_t{0}, size_t{16}, size_t{4095}})
    for (const size_t offset : {size_t{0}, size_t{1}, size_t{4096}})
      for (const size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4097}, size_t{3u << 20}})
        CHECK(arrives(skip, offset, size, 0));
}

TEST("pages given to a pipe that does not block arrive, too") { CHECK(arrives(16, 0, kBytes, O_NONBLOCK)); }

TEST("what lies in a full pipe does not change with the memory") {
  const Mapped mapped(0);
  int ends[2];
  CHECK_EQ(::pipe(ends), 0);
  CHECK_EQ(givePages(ends[1], mapped.memory(), mapped.data(), 32u << 10), 0);
  std::memset(mapped.data(), 0xee, kBytes);
  ::close(ends[1]);
  const Buffer got = readAll(ends[0]);
  ::close(ends[0]);
  CHECK_EQ(got.size(), size_t{32} << 10);
  CHECK_EQ(got[0], Mapped::at(0));
  CHECK_EQ(got[20'000], Mapped::at(20'000));
}

TEST("pages are not given to what is no pipe, and the memory stays") {
  const Mapped mapped(0);
  const MemoryFile file(Buffer{1});
  CHECK_EQ(givePages(file.fd(), mapped.memory(), mapped.data(), 8192), -EINVAL);
  CHECK_EQ(givePages(-1, mapped.memory(), mapped.data(), 8192), -EINVAL);
  CHECK_EQ(mapped.data()[5000], Mapped::at(5000));
}

TEST("a pipe without a reader is told") {
  ::signal(SIGPIPE, SIG_IGN);
  const Mapped mapped(0);
  int ends[2];
  CHECK_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  CHECK_EQ(givePages(ends[1], mapped.memory(), mapped.data(), 8192), -EPIPE);
  ::close(ends[1]);
}

TEST("pages that are let go of hold nothing, and can be used again") {
  const Mapped mapped(0);
  dropPages(mapped.memory());
  CHECK_EQ(mapped.data()[5000], 0u);
  mapped.data()[5000] = 7;
  CHECK_EQ(mapped.data()[5000], 7u);
  dropPages({});
}

TEST("the first large page is found") {
  const Mapped mapped(16);
  const size_t offset = adviseLargePages(mapped.memory());
  CHECK_EQ(reinterpret_cast<uintptr_t>(mapped.data() + offset) % kLargePageBytes, 0u);
  uint8_t small[8];
  CHECK_EQ(adviseLargePages({small, sizeof small}), 0u);
}

}  // namespace spillway::test
