// The writing thread of an interface: buffers go to its store, which commits at least every limits::kCommitMs. Where
// the disk refuses, it waits and tries again; the buffers then fill up, and what is lost is counted by the intake.
#pragma once
#include <deque>

#include "capture/buffer_queue.h"
#include "capture/progress.h"
#include "capture/segment_store.h"

namespace spillway::capture {

class Recorder {
 public:
  // All are borrowed for the thread's life.
  Recorder(BufferQueue* queue, SegmentStore* store, Finisher* finisher, Retention* retention, Progress* progress)
      : queue_(queue), store_(store), finisher_(finisher), retention_(retention), progress_(progress) {}

  // Runs until the queue has ended; seals what is open.
  void run();

 private:
  using Clock = std::chrono::steady_clock;

  struct Held {
    PacketBuffer* buffer;
    uint64_t end;  // of its bytes among all that were put
  };

  void consume(PacketBuffer* buffer);
  // Repeats `step` (0 or -errno) until it succeeds. False where the capture ends before.
  template <class F>
  bool insist(F&& step);
  void sealIfAsked();
  void releaseWritten();
  void tell();
  void end();
  void lose(const Loss& loss);
  bool gaveUp() const;

  BufferQueue* queue_;
  SegmentStore* store_;
  Finisher* finisher_;
  Retention* retention_;
  Progress* progress_;
  std::deque<Held> held_;
  uint64_t put_ = 0;  // bytes given to the store
  bool gave_up_ = false;
  uint64_t sealing_ = 0;        // of the seals asked for, the one under way
  uint64_t sealing_until_ = 0;  // done when the finisher has done so many
};

}  // namespace spillway::capture
