#include "frames.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace spillway::compile {

bool FrameReader::fill(size_t want) {
  if (end_ - start_ >= want) return true;
  std::memmove(buffer_.data(), buffer_.data() + start_, end_ - start_);
  end_ -= start_;
  start_ = 0;
  while (end_ < want) {
    const ssize_t n = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    end_ += static_cast<size_t>(n);
  }
  return true;
}

Read FrameReader::next(Bytes& frame) {
  if (!fill(4)) return end_ == start_ ? Read::kEnd : Read::kCut;
  const uint32_t length = load32(buffer_.data() + start_);
  if (length > kMaxFrameBytes) return Read::kTooLarge;
  if (!fill(4 + size_t{length})) return Read::kCut;
  frame = {buffer_.data() + start_ + 4, length};
  start_ += 4 + size_t{length};
  return Read::kFrame;
}

bool writeAnswer(int fd, const Answer& answer) {
  uint8_t header[4 + kAnswerHeaderBytes] = {};
  store32(header, static_cast<uint32_t>(kAnswerHeaderBytes + answer.payload.size));
  store32(header + 4, answer.id);
  header[8] = static_cast<uint8_t>(answer.status);
  header[9] = answer.flags;
  iovec parts[2] = {{header, sizeof header}, {const_cast<uint8_t*>(answer.payload.data), answer.payload.size}};
  iovec* at = parts;
  int left = 2;
  while (left > 0) {
    ssize_t n = writev(fd, at, left);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    for (; left > 0 && static_cast<size_t>(n) >= at->iov_len; ++at, --left) n -= static_cast<ssize_t>(at->iov_len);
    if (left > 0) {
      at->iov_base = static_cast<uint8_t*>(at->iov_base) + n;
      at->iov_len -= static_cast<size_t>(n);
    }
  }
  return true;
}

}  // namespace spillway::compile
