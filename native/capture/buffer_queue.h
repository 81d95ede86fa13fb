// The way from the thread that empties the ring to the one that writes: a bounded number of buffers.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "capture/losses.h"

namespace spillway::capture {

// A run of whole enhanced packet blocks, ready to be written. Owned by whoever took it from the queue.
struct PacketBuffer {
  uint8_t* data = nullptr;
  size_t size = 0;
  size_t capacity = 0;
  uint32_t packets = 0;      // in the blocks
  uint64_t received = 0;     // packets taken from the source, wanted or not
  std::vector<Loss> losses;  // that became known while it was filled

  size_t room() const { return capacity - size; }
  void clear();
};

class BufferQueue {
 public:
  using Clock = std::chrono::steady_clock;

  // As many buffers as fit in `bytes`, at least two. All their memory is taken at once; the one used last comes first.
  explicit BufferQueue(uint64_t bytes);
  ~BufferQueue();
  BufferQueue(const BufferQueue&) = delete;
  BufferQueue& operator=(const BufferQueue&) = delete;
  bool ok() const { return memory_ != nullptr; }

  // The filling side. An empty buffer, or null where none came free in time.
  PacketBuffer* takeEmpty(int timeout_ms);
  void push(PacketBuffer* buffer);
  // Nothing comes after this.
  void close();

  // The writing side. The oldest pushed buffer, or null at the deadline, on nudge() and at the end.
  PacketBuffer* pop(Clock::time_point deadline);
  void giveBack(PacketBuffer* buffer);
  // Ends a wait in pop(), from any thread.
  void nudge();

  // Buffers wait to be written.
  bool backlog() const;
  // Closed, and nothing waits.
  bool ended() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable empty_came_;
  std::condition_variable pushed_;
  std::vector<PacketBuffer> buffers_;
  std::vector<PacketBuffer*> empty_;
  std::deque<PacketBuffer*> full_;
  uint8_t* memory_ = nullptr;
  size_t memory_size_ = 0;
  bool closed_ = false;
  bool nudged_ = false;
};

}  // namespace spillway::capture
