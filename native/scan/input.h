// The bytes a scan reads, wherever they come from: a range of a file, or a stream that is fed.
// A cut record stays at the front while more bytes are added behind it. With block sums, bytes of a range are there
// only when all of their block have its sum; records never go from block to block.
#pragma once
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/limits.h"
#include "scan/block_sums.h"

namespace spillway {

class Input {
 public:
  enum class More { more, end, need_feed, error, bad_block };
  // How far a range is read: also beyond its end, where a record that starts before it goes on; or never, because what
  // lies there may still be written.
  enum class Reach : uint8_t { beyond_end, to_end };

  // `fd` is borrowed. `read_bytes`: how many are read at once, and so about how many are held; a block with a sum is
  // read whole, though. `sums`: null, or of the blocks that [start, end) lies in, which tell how far is read.
  void openRange(int fd, uint64_t start, uint64_t end, size_t read_bytes = limits::kReadBytes,
                 Reach reach = Reach::beyond_end, std::shared_ptr<const BlockSums> sums = nullptr);
  // Another range of the same file, with the same sums.
  void moveTo(uint64_t start, uint64_t end);
  void openStream();
  // Appends a copy of `bytes`. `last`: nothing follows.
  void feed(Bytes bytes, bool last);

  const uint8_t* data() const { return buffer_.get() + head_; }
  size_t size() const { return tail_ - head_; }
  // Offset in the source of data().
  uint64_t offset() const { return offset_; }
  // Records that start at or after this offset belong to someone else.
  uint64_t end() const { return end_; }
  void consume(size_t bytes) {
    head_ += bytes;
    offset_ += bytes;
  }
  // Makes at least one more byte present; moves data(). `bad_block`: the block that is next is cut or has another sum.
  // It is badBlock() until the next call, and left out: the position is behind it.
  More more();
  const BlockSum& badBlock() const { return *bad_; }
  // A block was left out that what follows can't be read without: so nothing follows.
  void lose() { lost_ = true; }
  bool lost() const { return lost_; }
  // The sums that the range was opened with; null without.
  const BlockSums* sums() const { return sums_.get(); }
  // Reads bytes of a range to a place of the caller's, and changes nothing here: at most `room` from `at` on, which
  // lies at or behind those present, little beyond `end`. Returns how many; 0 where more() has to do it, or tell why
  // not.
  int64_t readTo(uint8_t* to, size_t room, uint64_t at, uint64_t end) const;
  // Drops the bytes present and goes on at `offset`; of a range only.
  void jump(uint64_t offset) {
    head_ = tail_ = 0;
    offset_ = offset;
    exhausted_ = false;
  }
  // Frees the bytes; to be opened again before it is used again.
  void release() {
    buffer_.reset();
    sums_.reset();
    capacity_ = head_ = tail_ = 0;
  }
  // The descriptor of a range, -1 of a stream.
  int fd() const { return fd_; }
  // The source has no bytes beyond those present.
  bool exhausted() const { return exhausted_; }
  // Of a range that was to have them, bytes that its file does not have: it is shorter than it was.
  uint64_t missing() const {
    const uint64_t at = offset_ + size();
    return fd_ >= 0 && !sums_ && exhausted_ && at < end_ ? end_ - at : 0;
  }
  int error() const { return error_; }  // errno

 private:
  void reserve(size_t more_bytes);
  More moreBlocks(uint64_t at);

  std::unique_ptr<uint8_t[]> buffer_;
  size_t capacity_ = 0;
  size_t head_ = 0;
  size_t tail_ = 0;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;
  int fd_ = -1;  // -1: a stream
  size_t read_bytes_ = limits::kReadBytes;
  Reach reach_ = Reach::beyond_end;
  bool exhausted_ = false;
  int error_ = 0;
  std::shared_ptr<const BlockSums> sums_;
  const BlockSum* bad_ = nullptr;  // one of sums_
  bool lost_ = false;
};

}  // namespace spillway
