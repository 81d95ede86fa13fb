#include "capture/recorder.h"

#include <cerrno>
#include <thread>

#include "capture/clock.h"
#include "capture/limits.h"

namespace spillway::capture {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFinisherPoll{2};

}  // namespace

void Recorder::run() {
  auto next_commit = Clock::now() + milliseconds(limits::kCommitMs);
  while (!gave_up_) {
    PacketBuffer* buffer = queue_->pop(next_commit);
    if (buffer != nullptr) consume(buffer);
    else if (queue_->ended()) break;
    store_->settle();
    sealIfAsked();
    if (Clock::now() < next_commit) continue;
    store_->setState(stateOf(finisher_->error(), progress_->link));
    insist([&] { return store_->commit(systemNow()); });
    if (store_->due(systemNow())) insist([&] { return store_->seal(systemNow()); });
    releaseWritten();
    tell();
    next_commit = Clock::now() + milliseconds(limits::kCommitMs);
  }
  end();
}

void Recorder::consume(PacketBuffer* buffer) {
  store_->received(buffer->received);
  for (const Loss& loss : buffer->losses) store_->lose(loss);
  size_t done = 0;
  // Bytes taken stay borrowed also where the rest has to wait.
  held_.push_back({buffer, put_ + buffer->size});
  insist([&] {
    size_t taken;
    const int result = store_->put({buffer->data + done, buffer->size - done}, systemNow(), &taken);
    done += taken;
    put_ += taken;
    return result;
  });
  if (gave_up_) {
    held_.back().end = put_;
    uint64_t lost = 0;
    for (; done < buffer->size; ++lost) done += load32(buffer->data + done + 4);
    if (lost != 0) lose({LossKind::disk, systemNow(), systemNow(), lost, 0});
  }
  releaseWritten();
}

template <class F>
bool Recorder::insist(F&& step) {
  while (!gave_up_) {
    const int result = step();
    if (result == 0) {
      progress_->disk_error = 0;
      return true;
    }
    progress_->disk_error = -result;
    const bool full = result == -ENOSPC || result == -EDQUOT;
    if (full && retention_->freeOldest(systemNow())) continue;
    store_->setState(stateOf(-result, progress_->link));
    tell();
    if (gaveUp()) {
      gave_up_ = true;
      return false;
    }
    std::this_thread::sleep_for(milliseconds(limits::kWriteRetryMs));
  }
  return false;
}

void Recorder::sealIfAsked() {
  const uint64_t asked = progress_->seals_asked;
  if (asked != sealing_) {
    if (!insist([&] { return store_->seal(systemNow()); })) return;
    releaseWritten();
    tell();
    sealing_ = asked;
    sealing_until_ = finisher_->taken();
  }
  if (sealing_ != progress_->seals_done && finisher_->done() >= sealing_until_) progress_->seals_done = sealing_;
}

void Recorder::releaseWritten() {
  const uint64_t written = store_->written();
  while (!held_.empty() && held_.front().end <= written) {
    queue_->giveBack(held_.front().buffer);
    held_.pop_front();
  }
}

void Recorder::tell() {
  const Marks& marks = store_->marks();
  progress_->packets = marks.packets_stored;
  progress_->bytes = store_->packetBytes();
  progress_->segment_id = marks.segment_id;
  progress_->visible_bytes = marks.visible_bytes;
  progress_->durable_bytes = marks.durable_bytes;
}

// What can't be written any more is counted: in the store first, then in the queue.
void Recorder::end() {
  store_->setState(CaptureState::stopped);
  if (!gave_up_) insist([&] { return store_->seal(systemNow()); });
  while (!gaveUp() && finisher_->done() < finisher_->taken()) std::this_thread::sleep_for(kFinisherPoll);
  if (gave_up_) {
    uint64_t lost = store_->abandon();
    for (const Held& held : held_) queue_->giveBack(held.buffer);
    held_.clear();
    while (!queue_->ended()) {
      PacketBuffer* buffer = queue_->pop(Clock::now() + milliseconds(limits::kWriteRetryMs));
      if (buffer == nullptr) continue;
      lost += buffer->packets;
      for (const Loss& loss : buffer->losses) store_->lose(loss);
      queue_->giveBack(buffer);
    }
    const Nanos now = systemNow();
    if (lost != 0) lose(lossBetween(LossKind::disk, store_->marks().committed_at, now, lost));
    store_->setState(CaptureState::stopped);
  }
  store_->commit(systemNow());
  tell();
}

void Recorder::lose(const Loss& loss) {
  store_->lose(loss);
  progress_->addLost(loss);
}

bool Recorder::gaveUp() const {
  const int64_t deadline = progress_->deadline_ms;
  return deadline != 0 && std::chrono::duration_cast<milliseconds>(Clock::now().time_since_epoch()).count() > deadline;
}

}  // namespace spillway::capture
