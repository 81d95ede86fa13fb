// The bytes of a scan: ranges of files, streams, files that change under it.
#include "scan/input.h"

#include <cerrno>

#include "base/limits.h"
#include "check.h"
#include "drive.h"
#include "random.h"

namespace spillway::test {
namespace {

// Reads to the end, taking at most `take` bytes at a time. `more` answers after the last.
Buffer readAll(Input& input, size_t take, Input::More* last) {
  Buffer all;
  for (;;) {
    const size_t size = std::min(take, input.size());
    all.insert(all.end(), input.data(), input.data() + size);
    input.consume(size);
    if (size != 0) continue;
    *last = input.more();
    if (*last != Input::More::more) return all;
  }
}

}  // namespace

TEST("a range is read to the end of the file, whatever is taken at a time") {
  const Buffer bytes = Random(41).bytes(limits::kReadBytes * 2 + 777);
  const MemoryFile file(bytes);
  Input input;
  for (const size_t take : {size_t{61}, size_t{4096}, limits::kReadBytes - 1, limits::kReadBytes, SIZE_MAX}) {
    for (const uint64_t start : {uint64_t{0}, uint64_t{1}, uint64_t{300000}, file.size()}) {
      CONTEXT("take " << take << ", start " << start);
      input.openRange(file.fd(), start, file.size());
      Input::More last;
      CHECK_EQ(readAll(input, take, &last), Buffer(bytes.begin() + static_cast<long>(start), bytes.end()));
      CHECK(last == Input::More::end);
      CHECK(input.exhausted());
      CHECK_EQ(input.offset(), file.size());
    }
  }
}

TEST("beyond the end of the range bytes come only when they are asked for") {
  const Buffer bytes = Random(42).bytes(600000);
  const MemoryFile file(bytes);
  Input input;
  input.openRange(file.fd(), 1000, 2000);
  CHECK(input.more() == Input::More::more);
  CHECK_EQ(input.end(), 2000u);
  CHECK(input.size() >= 1000);
  CHECK(input.size() < 8192);
  while (input.size() < 500000) CHECK(input.more() == Input::More::more);
  CHECK_EQ(copyOf({input.data(), 500000}), Buffer(bytes.begin() + 1000, bytes.begin() + 501000));
}

TEST("a range that is read to its end only gives nothing beyond it") {
  const Buffer bytes = Random(47).bytes(600000);
  const MemoryFile file(bytes);
  Input input;
  for (const size_t read : {size_t{1}, size_t{999}, size_t{1000}, limits::kReadBytes}) {
    input.openRange(file.fd(), 1000, 3000, read, Input::Reach::to_end);
    while (input.more() == Input::More::more) CHECK(input.size() <= 2000);
    CHECK_EQ(copyOf({input.data(), input.size()}), Buffer(bytes.begin() + 1000, bytes.begin() + 3000));
    CHECK(input.more() == Input::More::end);
  }
  // Beyond the file there is nothing either.
  input.openRange(file.fd(), bytes.size() - 10, bytes.size() + 10, 100, Input::Reach::to_end);
  Input::More last;
  CHECK_EQ(readAll(input, 100, &last), Buffer(bytes.end() - 10, bytes.end()));
  CHECK(last == Input::More::end);
}

TEST("bytes that are kept stay in front of those that follow") {
  const Buffer bytes = Random(43).bytes(3 << 20);
  const MemoryFile file(bytes);
  Random random(44);
  for (int round = 0; round < 20; ++round) {
    Input input;
    input.openRange(file.fd(), 0, file.size());
    size_t at = 0;
    for (;;) {
      CHECK_EQ(input.offset(), at);
      CHECK(std::equal(input.data(), input.data() + input.size(), bytes.begin() + static_cast<long>(at)));
      // Now and then a record is longer than what was ever read.
      const size_t take = random.below(4) == 0 ? 0 : random.below(input.size() + 1);
      input.consume(take);
      at += take;
      const Input::More more = input.more();
      if (more == Input::More::end) break;
      CHECK(more == Input::More::more);
    }
    CHECK_EQ(at + input.size(), bytes.size());
  }
}

TEST("a file that shrinks ends early, one that grows is not read on") {
  const Buffer bytes = Random(45).bytes(1 << 20);
  MemoryFile file(bytes);
  Input input;
  input.openRange(file.fd(), 0, file.size());
  CHECK(input.more() == Input::More::more);
  const size_t got = input.size();
  file.resize(got - 1000);
  CHECK(input.more() == Input::More::end);
  CHECK(input.exhausted());
  CHECK_EQ(input.size(), got);
  file.resize(bytes.size());
  CHECK(input.more() == Input::More::end);
}

TEST("reading that fails tells errno") {
  Input input;
  const MemoryFile file(Buffer(10));
  input.openRange(file.fd(), 1ull << 63, UINT64_MAX - 4096);
  CHECK(input.more() == Input::More::error);
  CHECK_EQ(input.error(), EINVAL);
  // Opened again it is forgotten.
  input.openRange(file.fd(), 0, 10);
  CHECK(input.more() == Input::More::more);
  CHECK_EQ(input.error(), 0);
}

TEST("a stream gives what it is fed") {
  const Buffer bytes = Random(46).bytes(5000);
  for (const size_t chunk : {1u, 2u, 7u, 64u, 4999u, 5000u}) {
    for (const size_t take : {1u, 3u, 100u, 5000u}) {
      CONTEXT("chunk " << chunk << ", take " << take);
      Input input;
      input.openStream();
      CHECK(input.more() == Input::More::need_feed);
      Buffer all;
      for (size_t fed = 0; fed < bytes.size();) {
        const Exact piece(bytes.data() + fed, std::min(chunk, bytes.size() - fed));
        fed += piece.size();
        input.feed(piece.bytes(), fed == bytes.size());
        while (input.size() >= take) {
          all.insert(all.end(), input.data(), input.data() + take);
          input.consume(take);
        }
      }
      all.insert(all.end(), input.data(), input.data() + input.size());
      CHECK_EQ(all, bytes);
      CHECK(input.more() == Input::More::end);
      CHECK(input.exhausted());
    }
  }
}

TEST("a stream may end with nothing, and a range follow it") {
  Input input;
  input.openStream();
  input.feed({}, false);
  CHECK(input.more() == Input::More::need_feed);
  input.feed({}, true);
  CHECK(input.more() == Input::More::end);
  const MemoryFile file(Buffer{1, 2, 3});
  input.openRange(file.fd(), 1, 3);
  CHECK_EQ(input.size(), 0u);
  CHECK(input.more() == Input::More::more);
  CHECK_EQ(copyOf({input.data(), input.size()}), (Buffer{2, 3}));
}

}  // namespace spillway::test
