#include "scan/input.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"

namespace spillway {
namespace {

// How far beyond the end of a range a read goes, so that the record that straddles it is mostly there.
constexpr size_t kOverread = 2048;
constexpr size_t kReadBeyondEnd = 64u << 10;

}  // namespace

void Input::openRange(int fd, uint64_t start, uint64_t end, size_t read_bytes, Reach reach,
                      std::shared_ptr<const BlockSums> sums) {
  fd_ = fd;
  read_bytes_ = std::max<size_t>(read_bytes, 1);
  reach_ = reach;
  sums_ = std::move(sums);
  bad_ = nullptr;
  lost_ = false;
  moveTo(start, end);
}

void Input::moveTo(uint64_t start, uint64_t end) {
  jump(start);
  end_ = end;
  error_ = 0;
}

void Input::openStream() { openRange(-1, 0, UINT64_MAX); }

void Input::reserve(size_t more_bytes) {
  const size_t kept = tail_ - head_;
  if (tail_ + more_bytes <= capacity_) return;
  if (kept + more_bytes <= capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + head_, kept);
  } else {
    // A large record: grow by half, so that reading it to its end copies each byte a few times at most.
    capacity_ = std::max(kept + more_bytes, capacity_ + capacity_ / 2);
    std::unique_ptr<uint8_t[]> bigger(new uint8_t[capacity_]);
    if (kept != 0) std::memcpy(bigger.get(), buffer_.get() + head_, kept);
    buffer_ = std::move(bigger);
  }
  head_ = 0;
  tail_ = kept;
}

void Input::feed(Bytes bytes, bool last) {
  if (bytes.size != 0) {
    reserve(bytes.size);
    std::memcpy(buffer_.get() + tail_, bytes.data, bytes.size);
    tail_ += bytes.size;
  }
  if (last) exhausted_ = true;
}

Input::More Input::more() {
  if (exhausted_) return More::end;
  if (fd_ < 0) return More::need_feed;
  const uint64_t at = offset_ + size();
  if (sums_) return moreBlocks(at);
  if (at >= end_ && reach_ == Reach::to_end) return More::end;
  const size_t over = reach_ == Reach::to_end ? 0 : kOverread;
  const size_t want =
      at < end_ ? static_cast<size_t>(std::min<uint64_t>(read_bytes_, end_ - at + over)) : kReadBeyondEnd;
  reserve(want);
  const int64_t got = readAt(fd_, buffer_.get() + tail_, want, at);
  if (got < 0) {
    error_ = static_cast<int>(-got);
    return More::error;
  }
  tail_ += static_cast<size_t>(got);
  if (static_cast<size_t>(got) < want) exhausted_ = true;
  return got == 0 ? More::end : More::more;
}

int64_t Input::readTo(uint8_t* to, size_t room, uint64_t at, uint64_t end) const {
  const size_t size = std::min(room, read_bytes_);
  if (!sums_) return readAt(fd_, to, std::min<uint64_t>(size, (end > at ? end - at : 0) + kOverread), at);
  const BlockSum* const block = lost_ ? nullptr : sums_->find(at);
  if (block == nullptr || block->start != at) return 0;
  const int64_t got = readAt(fd_, to, sums_->bytesWithin(block, end, size), at);
  return got <= 0 ? got : static_cast<int64_t>(BlockSums::agreeing(block, {to, static_cast<size_t>(got)}));
}

// Whole blocks, from the one that `at` is in.
Input::More Input::moreBlocks(uint64_t at) {
  const BlockSum* const block = lost_ || at >= end_ ? nullptr : sums_->find(at);
  if (block == nullptr) return More::end;
  const size_t want = std::max<size_t>(sums_->bytesWithin(block, end_, read_bytes_), block->bytes());
  reserve(want);
  const int64_t got = readAt(fd_, buffer_.get() + tail_, want, block->start);
  if (got < 0) {
    error_ = static_cast<int>(-got);
    return More::error;
  }
  const size_t good = BlockSums::agreeing(block, {buffer_.get() + tail_, static_cast<size_t>(got)});
  if (good == 0) {
    bad_ = block;
    jump(block->end);
    return More::bad_block;
  }
  if (size() == 0) head_ += static_cast<size_t>(at - block->start);
  tail_ += good;
  return More::more;
}

}  // namespace spillway
