#include "capture/segment_writer.h"

#include <algorithm>
#include <cerrno>

#include "capture/files.h"
#include "capture/limits.h"

namespace spillway::capture {

void SegmentWriter::begin(Fd fd) {
  fd_ = std::move(fd);
  pending_.clear();
  size_ = written_ = pushed_ = 0;
}

void SegmentWriter::add(Bytes bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size;
  if (!pending_.empty() && pending_.back().data + pending_.back().size == bytes.data)
    pending_.back().size += bytes.size;
  else pending_.push_back(bytes);
}

int SegmentWriter::writePieces() {
  const uint64_t end = size_ / limits::kPieceBytes * limits::kPieceBytes;
  return end > written_ ? writeUpTo(end) : 0;
}

int SegmentWriter::writeAll() { return writeUpTo(size_); }

int SegmentWriter::writeUpTo(uint64_t end) {
  if (end <= written_) return 0;
  std::vector<iovec> pieces;
  uint64_t left = end - written_;
  for (const Bytes& bytes : pending_) {
    if (left == 0) break;
    const size_t size = std::min<uint64_t>(left, bytes.size);
    pieces.push_back({const_cast<uint8_t*>(bytes.data), size});
    left -= size;
  }
  uint64_t written = 0;
  const int result = writeAllAt(fd_.get(), pieces, written_, &written);
  written_ += written;
  while (written > 0) {
    Bytes& first = pending_.front();
    const size_t done = std::min<uint64_t>(written, first.size);
    first = {first.data + done, first.size - done};
    written -= done;
    if (first.empty()) pending_.pop_front();
  }
  if (written_ - pushed_ >= limits::kPushBytes) {
    pushOut(fd_.get(), pushed_, written_ - pushed_);
    pushed_ = written_;
  }
  return result;
}

int SegmentWriter::truncate() { return ::ftruncate(fd_.get(), static_cast<off_t>(size_)) == 0 ? 0 : -errno; }

}  // namespace spillway::capture
