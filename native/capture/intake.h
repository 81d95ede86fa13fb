// The reading thread of an interface: it empties the source into buffers, and learns what was lost.
#pragma once
#include <array>
#include <atomic>
#include <chrono>

#include "capture/buffer_queue.h"
#include "capture/packet_source.h"
#include "capture/progress.h"
#include "capture/shaper.h"

namespace spillway::capture {

class Intake {
 public:
  // All are borrowed for the thread's life.
  Intake(PacketSource* source, Shaper shaper, BufferQueue* queue, Progress* progress)
      : source_(source), shaper_(shaper), queue_(queue), progress_(progress) {}

  // Runs until stop() and until the source is drained; closes the queue.
  void run();
  // From any thread.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  void store(CapturedPacket packet);
  bool needBuffer(size_t room);
  void pushBuffer();
  void flushIfDue(Clock::time_point now);
  void countLost(Clock::time_point now);
  void addLoss(const Loss& loss);
  void checkLink(Clock::time_point now);
  bool gaveUp() const;

  PacketSource* source_;
  Shaper shaper_;
  BufferQueue* queue_;
  Progress* progress_;
  std::atomic<bool> stopping_{false};
  std::array<CapturedPacket, 256> batch_;

  PacketBuffer* buffer_ = nullptr;
  Clock::time_point buffer_begun_;
  std::vector<Loss> losses_;  // not yet in a buffer
  uint64_t received_ = 0;     // not yet in a buffer
  Nanos looked_at_ = 0;       // when losses were asked for last
  Clock::time_point looked_;
  Clock::time_point waited_;  // when the queue was full last
  bool has_waited_ = false;
  Clock::time_point link_checked_;
  Link link_ = Link::up;
  Nanos link_lost_at_ = 0;
};

}  // namespace spillway::capture
