#include "capture/finisher.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "capture/files.h"
#include "capture/segment_name.h"

namespace spillway::capture {
namespace {

// Segments that may wait; the next one waits with the writer. A disk that is so far behind is slower than the traffic.
constexpr size_t kWaitingMax = 8;

}  // namespace

int finishSegment(CompleteSegment segment, Retention* retention) {
  const std::string part = segment.folder + "/" + partName(segment.id);
  const std::string index = segment.folder + "/" + stemName(segment.id) + ".index";
  if (segment.durable && ::fdatasync(segment.fd.get()) != 0) return -errno;
  // Without a sidecar the segment is scanned, until the next start makes one.
  if (segment.sidecar && segment.sidecar->seal() != 0) removeFile(index);
  const int result = renameFile(part, segment.folder + "/" + sealedName(segment.id));
  if (result != 0) return result;
  if (segment.durable) syncFolder(segment.folder);
  struct stat found;
  const uint64_t index_bytes = ::stat(index.c_str(), &found) == 0 ? static_cast<uint64_t>(found.st_size) : 0;
  retention->sealed(part, {segment.folder, segment.id, segment.bytes + index_bytes, segment.end});
  return 0;
}

Finisher::Finisher(Retention* retention, std::function<void()> told)
    : retention_(retention), told_(std::move(told)), thread_([this] { run(); }) {}

Finisher::~Finisher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Finisher::finish(CompleteSegment segment) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_.size() < kWaitingMax; });
  waiting_.push_back(std::move(segment));
  ++taken_;
  changed_.notify_all();
}

void Finisher::sync(int fd, uint64_t id, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (syncing_ || sync_.fd) return;
  sync_ = {Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), id, bytes};
  changed_.notify_all();
}

void Finisher::syncMarks(int fd) {
  const std::lock_guard lock(mutex_);
  if (marks_) return;
  marks_.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  changed_.notify_all();
}

uint64_t Finisher::synced(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  return synced_id_ == id ? synced_bytes_ : 0;
}

uint64_t Finisher::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

uint64_t Finisher::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

int Finisher::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Finisher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty() || sync_.fd || marks_; });
    if (!waiting_.empty()) {
      CompleteSegment segment = std::move(waiting_.front());
      lock.unlock();
      const int result = finishSegment(std::move(segment), retention_);
      lock.lock();
      waiting_.pop_front();
      ++done_;
      error_ = -result;
    } else if (sync_.fd) {
      const Sync sync = std::move(sync_);
      sync_ = {};
      syncing_ = true;
      lock.unlock();
      const int result = ::fdatasync(sync.fd.get()) == 0 ? 0 : -errno;
      lock.lock();
      syncing_ = false;
      if (result == 0) synced_id_ = sync.id, synced_bytes_ = sync.bytes;
      error_ = -result;
    } else if (marks_) {
      const Fd marks = std::move(marks_);
      lock.unlock();
      const int result = ::fdatasync(marks.get()) == 0 ? 0 : -errno;
      lock.lock();
      error_ = -result;
    } else {
      return;
    }
    changed_.notify_all();
    lock.unlock();
    told_();
    lock.lock();
  }
}

}  // namespace spillway::capture
