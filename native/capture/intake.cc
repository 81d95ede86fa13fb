#include "capture/intake.h"

#include <algorithm>

#include "capture/clock.h"
#include "capture/limits.h"

namespace spillway::capture {
namespace {

using std::chrono::milliseconds;

// How often the source is asked for losses: an interval of theirs is that exact. Each asking is a system call.
constexpr milliseconds kLookEvery{10};
// A ring that overflows this soon after the queue was full does so because of it.
constexpr milliseconds kQueueBlame{500};
// Waits for an empty buffer are cut into these, to look after losses meanwhile.
constexpr int kWaitMs = 20;
constexpr int kLastTries = 200;

LossKind gapOf(Link link) { return link == Link::down ? LossKind::link_down : LossKind::link_gone; }

}  // namespace

void Intake::run() {
  looked_at_ = systemNow();
  looked_ = link_checked_ = Clock::now();
  bool closed = false;
  for (;;) {
    if (stopping_.load(std::memory_order_relaxed) && !closed) {
      source_->closeIntake();
      closed = true;
    }
    const size_t count = source_->take(batch_.data(), batch_.size(), limits::kBufferTimeoutMs / 2);
    for (size_t i = 0; i < count; ++i) store(batch_[i]);
    progress_->received.fetch_add(count, std::memory_order_relaxed);
    const auto now = Clock::now();
    if (now - looked_ >= kLookEvery) countLost(now);
    if (count == 0) flushIfDue(now);
    if (count == 0 || now - link_checked_ >= milliseconds(limits::kLinkCheckMs)) checkLink(now);
    if (closed && count == 0 && source_->drained()) break;
  }
  countLost(Clock::now());
  if (link_ != Link::up) addLoss(lossBetween(gapOf(link_), link_lost_at_, systemNow(), kUnknownPackets));
  // The last buffer carries the last counts. One that has given up writing gives its buffers back first.
  for (int tries = 0; buffer_ == nullptr && tries < kLastTries; ++tries) buffer_ = queue_->takeEmpty(kWaitMs);
  if (buffer_ != nullptr) pushBuffer();
  queue_->close();
}

void Intake::stop() {
  stopping_ = true;
  source_->wake();
}

bool Intake::gaveUp() const {
  const int64_t deadline = progress_->deadline_ms.load(std::memory_order_relaxed);
  return deadline != 0 && std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count() > deadline;
}

// Sees to a buffer with that much room; false where the capture ends before there is one.
bool Intake::needBuffer(size_t room) {
  if (buffer_ != nullptr && buffer_->room() < room) pushBuffer();
  while (buffer_ == nullptr) {
    buffer_ = queue_->takeEmpty(gaveUp() ? 0 : kWaitMs);
    if (buffer_ != nullptr) break;
    waited_ = Clock::now();
    has_waited_ = true;
    countLost(waited_);
    if (gaveUp()) return false;
  }
  if (buffer_->size == 0) buffer_begun_ = Clock::now();
  return true;
}

void Intake::pushBuffer() {
  // What was lost before its packets goes with them, or before: a commit never shows a hole that is not counted.
  countLost(Clock::now());
  buffer_->received += received_;
  received_ = 0;
  for (const Loss& loss : losses_) buffer_->losses.push_back(loss);
  losses_.clear();
  queue_->push(buffer_);
  buffer_ = nullptr;
}

void Intake::store(CapturedPacket packet) {
  packet.caplen = std::min(packet.caplen, limits::kMaxSnapBytes);
  ++received_;
  const size_t bound = shaper_.bound(packet);
  if (buffer_ == nullptr || buffer_->room() < bound) {
    if (!needBuffer(bound)) {
      const Nanos now = systemNow();
      addLoss({progress_->disk_error != 0 ? LossKind::disk : LossKind::queue, packet.time, now, 1, 0});
      return;
    }
  }
  const size_t size = shaper_.put(buffer_->data + buffer_->size, packet);
  buffer_->size += size;
  buffer_->packets += size != 0 ? 1 : 0;
}

// A buffer goes on when it is full; one that does not fill goes on after a while, unless the writer has enough to do.
void Intake::flushIfDue(Clock::time_point now) {
  if (buffer_ == nullptr && (!losses_.empty() || received_ != 0) && !queue_->backlog()) needBuffer(0);
  if (buffer_ == nullptr || queue_->backlog()) return;
  const bool filled = buffer_->size != 0 || !losses_.empty() || received_ != 0;
  if (filled && now - buffer_begun_ >= milliseconds(limits::kBufferTimeoutMs)) pushBuffer();
}

void Intake::countLost(Clock::time_point now) {
  const Nanos at = systemNow();
  const uint64_t lost = source_->takeLost();
  if (lost != 0) {
    LossKind kind = LossKind::ring;
    if (has_waited_ && now - waited_ < kQueueBlame)
      kind = progress_->disk_error != 0 ? LossKind::disk : LossKind::queue;
    addLoss(lossBetween(kind, looked_at_, at, lost));
  }
  looked_at_ = at;
  looked_ = now;
}

void Intake::addLoss(const Loss& loss) {
  mergeLoss(&losses_, loss);
  progress_->addLost(loss);
}

void Intake::checkLink(Clock::time_point now) {
  if (now - link_checked_ < milliseconds(limits::kLinkCheckMs) / 10) return;
  link_checked_ = now;
  const Link link = source_->link();
  if (link == link_) return;
  const Nanos at = systemNow();
  if (link_ != Link::up) addLoss(lossBetween(gapOf(link_), link_lost_at_, at, kUnknownPackets));
  link_ = link;
  link_lost_at_ = at;
  progress_->link = link;
}

}  // namespace spillway::capture
