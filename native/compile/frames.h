// Frames over file descriptors.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "../base/bytes.h"
#include "protocol.h"

namespace spillway::compile {

enum class Read {
  kFrame,
  kEnd,       // the input ended between two frames
  kCut,       // the input ended, or failed, inside a frame
  kTooLarge,  // the length is over kMaxFrameBytes: what follows can not be trusted to be frames
};

// Reads frames from one descriptor, borrowed.
class FrameReader {
 public:
  explicit FrameReader(int fd) : fd_(fd), buffer_(4 + kMaxFrameBytes) {}
  // `frame` points into this reader and holds until the next call.
  Read next(Bytes& frame);

 private:
  // Makes at least `want` unread bytes available; false at the end of input.
  bool fill(size_t want);

  int fd_;
  std::vector<uint8_t> buffer_;
  size_t start_ = 0;
  size_t end_ = 0;
};

struct Answer {
  uint32_t id = 0;
  Status status = Status::kFailed;
  uint8_t flags = 0;
  Bytes payload;  // borrowed
};

inline Bytes bytesOf(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// False when nobody reads any more.
bool writeAnswer(int fd, const Answer& answer);

}  // namespace spillway::compile
