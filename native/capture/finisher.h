// Makes complete segments durable and gives them their names, on a thread of its own: a disk that takes seconds for it
// does not hold up the writing of the next ones.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"
#include "capture/fd.h"
#include "capture/retention.h"
#include "index/sidecar_writer.h"

namespace spillway::capture {

// A segment whose last byte is written; still `.part`, cut to its length, with an open sidecar that vouches for all of
// it.
struct CompleteSegment {
  Fd fd;
  std::string folder;
  uint64_t id = 0;
  uint64_t bytes = 0;
  Nanos end = 0;                           // as in SealedSegment
  std::unique_ptr<SidecarWriter> sidecar;  // may be missing
  bool durable = true;
};

// Syncs the segment, seals the sidecar, renames the segment, and gives it to retention. 0 or -errno: then it stays
// `.part`, for the next start to recover.
int finishSegment(CompleteSegment segment, Retention* retention);

class Finisher {
 public:
  // `told` is called on the finisher's thread after each piece of work.
  Finisher(Retention* retention, std::function<void()> told);
  // Ends when all is done.
  ~Finisher();

  // Takes a segment; waits where several are waiting already.
  void finish(CompleteSegment segment);
  // Makes durable what is written of segment `id`, of which there are `bytes`; skipped while one is under way.
  void sync(int fd, uint64_t id, uint64_t bytes);
  // Makes the marks durable, which are behind `fd`; skipped where that is asked for already.
  void syncMarks(int fd);
  // How much of segment `id` is known to be durable by sync().
  uint64_t synced(uint64_t id) const;

  // Segments that were taken, and of those how many are done with, in order.
  uint64_t taken() const;
  uint64_t done() const;
  // The errno of the last piece of work, 0: it was done.
  int error() const;

 private:
  struct Sync {
    Fd fd;
    uint64_t id = 0;
    uint64_t bytes = 0;
  };
  void run();

  Retention* retention_;
  std::function<void()> told_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CompleteSegment> waiting_;
  Sync sync_;  // asked for, where it has a descriptor
  Fd marks_;   // the same
  bool syncing_ = false;
  uint64_t synced_id_ = 0;
  uint64_t synced_bytes_ = 0;
  uint64_t taken_ = 0;
  uint64_t done_ = 0;
  int error_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace spillway::capture
