// Writes one segment file: bytes are borrowed until they are in the file, and go there in large aligned pieces where
// they come fast enough.
#pragma once
#include <deque>

#include "base/bytes.h"
#include "capture/fd.h"

namespace spillway::capture {

class SegmentWriter {
 public:
  // Begins at the file's first byte, over whatever a recycled file holds.
  void begin(Fd fd);
  bool isOpen() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // The next bytes, borrowed until written() has passed them.
  void add(Bytes bytes);
  // Writes what fills whole pieces. What it returns is 0 or -errno; after a failure nothing is lost, and the next call
  // goes on where this one stopped.
  int writePieces();
  int writeAll();

  uint64_t size() const { return size_; }  // with what is not written yet
  uint64_t written() const { return written_; }

  // Ends the file at `size()`, which must all be written.
  int truncate();
  // Gives the file away; nothing is open then.
  Fd release() { return std::move(fd_); }

 private:
  int writeUpTo(uint64_t end);

  Fd fd_;
  std::deque<Bytes> pending_;  // from written_ to size_
  uint64_t size_ = 0;
  uint64_t written_ = 0;
  uint64_t pushed_ = 0;  // on its way to the disk
};

}  // namespace spillway::capture
