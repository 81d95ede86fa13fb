// Sums of blocks, and the input that shows bytes of a block only when they agree.
#include "scan/block_sums.h"

#include "base/crc32c.h"
#include "base/limits.h"
#include "check.h"
#include "drive.h"
#include "random.h"
#include "scan/input.h"

namespace spillway::test {
namespace {

std::shared_ptr<const BlockSums> sumsOf(std::vector<BlockSum> blocks) {
  std::string why;
  return BlockSums::of(std::move(blocks), &why);
}

std::string refusalOf(std::vector<BlockSum> blocks) {
  std::string why;
  return BlockSums::of(std::move(blocks), &why) ? "" : why;
}

// Blocks of these lengths, from the file's start on.
std::shared_ptr<const BlockSums> sumsOf(const Buffer& bytes, const std::vector<size_t>& lengths) {
  std::vector<BlockSum> blocks;
  uint64_t at = 0;
  for (const size_t length : lengths) {
    blocks.push_back({at, at + length, crc32c(bytes.data() + at, length), false});
    at += length;
  }
  return sumsOf(std::move(blocks));
}

}  // namespace

TEST("blocks are ascending and disjoint, not empty and not too large") {
  const uint64_t most = limits::kMaxCheckedBytes;
  CHECK_EQ(refusalOf({}), "");
  CHECK_EQ(refusalOf({{0, 1}, {1, 2}, {5, 5 + most}}), "");
  CHECK_EQ(refusalOf({{0, 0}}), "not ascending and disjoint");
  CHECK_EQ(refusalOf({{2, 1}}), "not ascending and disjoint");
  CHECK_EQ(refusalOf({{0, 2}, {1, 3}}), "not ascending and disjoint");
  CHECK_EQ(refusalOf({{5, 6}, {1, 2}}), "not ascending and disjoint");
  CHECK_EQ(refusalOf({{5, 6 + most}}), "larger than 16908288 bytes");
}

TEST("what is covered") {
  const auto sums = sumsOf({{10, 20}, {20, 30}, {40, 50}});
  const auto covered = [&](uint64_t start, uint64_t end) {
    bool all = true;
    for (uint64_t at = start; at < end; ++at) all &= (at >= 10 && at < 30) || (at >= 40 && at < 50);
    return all;
  };
  for (uint64_t start = 0; start < 60; ++start)
    for (uint64_t end = 0; end < 60; ++end) CHECK_EQ(sums->cover(start, end), covered(start, end));
  for (uint64_t at = 0; at < 60; ++at) {
    const BlockSum* found = sums->find(at);
    CHECK_EQ(found != nullptr, covered(at, at + 1));
    if (found != nullptr) CHECK(found->start <= at && at < found->end);
  }
  CHECK(!sumsOf(std::vector<BlockSum>{})->cover(0, 1));
  CHECK(sumsOf(std::vector<BlockSum>{})->cover(3, 3));
}

TEST("what is read at once stands one behind another") {
  const auto sums = sumsOf({{10, 20}, {20, 30}, {40, 50}});
  const auto within = [&](uint64_t from, uint64_t end, size_t room) {
    return sums->bytesWithin(sums->find(from), end, room);
  };
  CHECK_EQ(within(10, 50, 100), 20);
  CHECK_EQ(within(15, 50, 20), 20);
  CHECK_EQ(within(10, 50, 19), 10);
  CHECK_EQ(within(10, 50, 9), 0);
  CHECK_EQ(within(10, 20, 100), 10);
  CHECK_EQ(within(10, 21, 100), 20);
  CHECK_EQ(within(40, 50, 100), 10);
}

TEST("blocks are read whole, as many as fit") {
  const Buffer bytes = Random(96).bytes(1000);
  const MemoryFile file(bytes);
  const auto sums = sumsOf(bytes, {100, 100, 300, 50, 450});
  Input input;
  const auto sizes = [&](size_t read_bytes, uint64_t start, uint64_t end) {
    input.openRange(file.fd(), start, end, read_bytes, Input::Reach::beyond_end, sums);
    std::vector<size_t> all;
    while (input.more() == Input::More::more) {
      CHECK(std::equal(input.data(), input.data() + input.size(), bytes.begin() + static_cast<long>(input.offset())));
      all.push_back(input.size());
      input.consume(input.size());
    }
    CHECK(input.more() == Input::More::end);
    return all;
  };
  CHECK(sizes(1, 0, 1000) == (std::vector<size_t>{100, 100, 300, 50, 450}));
  CHECK(sizes(250, 0, 1000) == (std::vector<size_t>{200, 300, 50, 450}));
  CHECK(sizes(499, 0, 1000) == (std::vector<size_t>{200, 350, 450}));
  CHECK(sizes(5000, 0, 1000) == (std::vector<size_t>{1000}));
  // From inside a block, and to the inside of one: read to its end.
  CHECK(sizes(250, 130, 501) == (std::vector<size_t>{70, 300, 50}));
  CHECK(sizes(5000, 199, 500) == (std::vector<size_t>{301}));
  CHECK(sizes(5000, 200, 200).empty());
}

TEST("bytes that are kept stay in front of the next block's") {
  const Buffer bytes = Random(97).bytes(1000);
  const MemoryFile file(bytes);
  Input input;
  input.openRange(file.fd(), 30, 1000, 1, Input::Reach::to_end, sumsOf(bytes, {100, 200, 700}));
  for (const size_t size : {70u, 270u, 970u}) {
    CHECK(input.more() == Input::More::more);
    CHECK_EQ(copyOf({input.data(), input.size()}),
             Buffer(bytes.begin() + 30, bytes.begin() + 30 + static_cast<long>(size)));
  }
  CHECK(input.more() == Input::More::end);
}

TEST("what a reader must have read to go on") {
  const Buffer state = {1, 2, 3}, other = {1, 2, 4};
  const BlockSum first{0, 10, 0, true}, plain{10, 20, 0, false}, describing{20, 30, 0, true};
  std::string why;
  const auto sums = BlockSums::of({first, plain, describing}, &why, state);
  CHECK(sums->canLeaveOut(first, state));
  CHECK(!sums->canLeaveOut(first, other));
  for (const Buffer& any : {state, other}) {
    CHECK(sums->canLeaveOut(plain, any));
    CHECK(!sums->canLeaveOut(describing, any));
  }
  for (const BlockSum& block : {first, plain, describing}) CHECK(!sums->canLeaveOut(block, {}));
  CHECK(!BlockSums::of({first}, &why)->canLeaveOut(first, state));
  CHECK(!BlockSums::of({first}, &why)->canLeaveOut(first, {}));
}

TEST("a bad block is told behind the bytes before it, and left out") {
  const Buffer bytes = Random(98).bytes(1000);
  std::vector<BlockSum> blocks;
  for (uint64_t at = 0; at < 1000; at += 250) blocks.push_back({at, at + 250, crc32c(bytes.data() + at, 250), false});
  for (const bool lose : {false, true}) {
    for (const size_t read_bytes : {1u, 600u, 5000u}) {
      MemoryFile file(bytes);
      const uint8_t other = bytes[700] ^ 1;
      file.write(700, {&other, 1});
      CONTEXT("reads of " << read_bytes << (lose ? ", lost" : ""));
      Input input;
      input.openRange(file.fd(), 0, 1000, read_bytes, Input::Reach::beyond_end, sumsOf(blocks));
      size_t before = 0;
      while (before < 500) {
        CHECK(input.more() == Input::More::more);
        before += input.size();
        input.consume(input.size());
      }
      CHECK_EQ(before, 500u);
      CHECK(input.more() == Input::More::bad_block);
      CHECK_EQ(input.badBlock().start, 500u);
      CHECK_EQ(input.badBlock().end, 750u);
      CHECK_EQ(input.offset(), 750u);
      CHECK_EQ(input.size(), 0u);
      CHECK(!input.lost());
      if (lose) input.lose();
      CHECK(input.more() == (lose ? Input::More::end : Input::More::more));
      if (!lose) CHECK_EQ(copyOf({input.data(), input.size()}), Buffer(bytes.begin() + 750, bytes.end()));
      // Opened again, it is forgotten.
      input.openRange(file.fd(), 750, 1000, read_bytes, Input::Reach::beyond_end, sumsOf(blocks));
      CHECK(!input.lost());
      CHECK(input.more() == Input::More::more);
    }
  }
}

TEST("to a place of the caller's only whole blocks that agree are read") {
  const Buffer bytes = Random(99).bytes(1000);
  MemoryFile file(bytes);
  const uint8_t other = bytes[600] ^ 1;
  file.write(600, {&other, 1});
  Input input;
  input.openRange(file.fd(), 0, 1000, 400, Input::Reach::beyond_end, sumsOf(bytes, {100, 300, 100, 250, 250}));
  const auto read = [&](size_t room, uint64_t at, uint64_t end) {
    const std::unique_ptr<uint8_t[]> to(new uint8_t[room]);
    const int64_t got = input.readTo(to.get(), room, at, end);
    CHECK(got >= 0 && std::equal(to.get(), to.get() + got, bytes.begin() + static_cast<long>(at)));
    return got;
  };
  CHECK_EQ(read(1000, 0, 1000), 400);
  CHECK_EQ(read(399, 0, 1000), 100);
  CHECK_EQ(read(99, 0, 1000), 0);
  CHECK_EQ(read(1000, 0, 50), 100);
  CHECK_EQ(read(1000, 400, 1000), 100);  // the next one is bad
  CHECK_EQ(read(1000, 500, 1000), 0);
  CHECK_EQ(read(1000, 750, 1000), 250);
  CHECK_EQ(read(1000, 760, 1000), 0);  // inside a block
  input.openRange(file.fd(), 0, 1000, 400);
  CHECK_EQ(read(300, 5, 1000), 300);
  CHECK_EQ(read(500, 5, 1000), 400);
}

}  // namespace spillway::test
