#include "capture/buffer_queue.h"

#include <sys/mman.h>

#include <algorithm>

#include "capture/limits.h"

namespace spillway::capture {

void PacketBuffer::clear() {
  size = 0;
  packets = 0;
  received = 0;
  losses.clear();
}

BufferQueue::BufferQueue(uint64_t bytes) {
  const size_t count = std::max<size_t>(bytes / limits::kBufferBytes, 2);
  memory_size_ = count * limits::kBufferBytes;
  void* memory = ::mmap(nullptr, memory_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = static_cast<uint8_t*>(memory);
  // All of it now: in the middle of a stall a page that is touched first costs more than the copy into it.
  ::madvise(memory_, memory_size_, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
  ::madvise(memory_, memory_size_, MADV_POPULATE_WRITE);
#endif
  buffers_.resize(count);
  for (size_t i = count; i-- > 0;) {
    buffers_[i].data = memory_ + i * limits::kBufferBytes;
    buffers_[i].capacity = limits::kBufferBytes;
    empty_.push_back(&buffers_[i]);
  }
}

BufferQueue::~BufferQueue() {
  if (memory_ != nullptr) ::munmap(memory_, memory_size_);
}

PacketBuffer* BufferQueue::takeEmpty(int timeout_ms) {
  std::unique_lock lock(mutex_);
  empty_came_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return !empty_.empty(); });
  if (empty_.empty()) return nullptr;
  PacketBuffer* buffer = empty_.back();
  empty_.pop_back();
  buffer->clear();
  return buffer;
}

void BufferQueue::push(PacketBuffer* buffer) {
  const std::lock_guard lock(mutex_);
  full_.push_back(buffer);
  pushed_.notify_one();
}

void BufferQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  pushed_.notify_one();
}

PacketBuffer* BufferQueue::pop(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  pushed_.wait_until(lock, deadline, [&] { return !full_.empty() || closed_ || nudged_; });
  nudged_ = false;
  if (full_.empty()) return nullptr;
  PacketBuffer* buffer = full_.front();
  full_.pop_front();
  return buffer;
}

void BufferQueue::giveBack(PacketBuffer* buffer) {
  const std::lock_guard lock(mutex_);
  empty_.push_back(buffer);
  empty_came_.notify_one();
}

void BufferQueue::nudge() {
  const std::lock_guard lock(mutex_);
  nudged_ = true;
  pushed_.notify_one();
}

bool BufferQueue::backlog() const {
  const std::lock_guard lock(mutex_);
  return !full_.empty();
}

bool BufferQueue::ended() const {
  const std::lock_guard lock(mutex_);
  return closed_ && full_.empty();
}

}  // namespace spillway::capture
