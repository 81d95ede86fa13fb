#include "capture/retention.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include "capture/files.h"
#include "capture/segment_name.h"

namespace spillway::capture {

namespace {

// What is held is looked at again after so long: a look reads the whole folder and the pins.
constexpr Nanos kHeldNs = 2 * kNanosPerSecond;

}  // namespace

bool freeSegment(const std::string& folder, uint64_t id, const std::string* recycle, Nanos now) {
  const std::string path = folder + "/" + sealedName(id);
  int error;
  const Fd fd = openFile(path, O_RDWR, &error);
  // The lock is held until the name is gone: whoever opened the file before and locks it after sees that.
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  if (!fd && error != ENOENT) return false;
  // Listed under the lock, which keeps off whoever pins: what has no pin now gets none before it is gone.
  std::vector<FolderEntry> entries;
  const auto ours = [&](const FolderEntry& entry) {
    if (entry.id == id) entries.push_back(entry);
  };
  if (visitFolder(folder, ours) != 0) return false;
  for (const FolderEntry& entry : entries)
    if (entry.kind == EntryKind::pin && pinHolds(folder + "/" + entry.name, now)) return false;
  if (fd && (recycle == nullptr || renameFile(path, *recycle) != 0) && removeFile(path) != 0) return false;
  for (const FolderEntry& entry : entries)
    if (entry.kind != EntryKind::sealed && entry.kind != EntryKind::part) removeFile(folder + "/" + entry.name);
  return true;
}

void Retention::setLimits(RetentionLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
  held_at_.reset();
}

RetentionLimits Retention::limits() const {
  const std::lock_guard lock(mutex_);
  return limits_;
}

void Retention::add(const SealedSegment& segment) {
  const std::lock_guard lock(mutex_);
  insert(segment);
}

void Retention::sealed(const std::string& path, const SealedSegment& segment) {
  const std::lock_guard lock(mutex_);
  open_.erase(path);
  insert(segment);
}

void Retention::insert(const SealedSegment& segment) {
  auto place = sealed_.end();
  while (place != sealed_.begin() && place[-1].folder != segment.folder && place[-1].end > segment.end) --place;
  sealed_.insert(place, segment);
  sealed_bytes_ += segment.bytes;
}

void Retention::setOpen(const std::string& path, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes == 0) open_.erase(path);
  else open_[path] = bytes;
}

bool Retention::over(uint64_t more) const {
  uint64_t all = sealed_bytes_ + more;
  for (const auto& [path, bytes] : open_) all += bytes;
  return limits_.bytes != 0 && all > limits_.bytes;
}

bool Retention::freeAt(size_t i, const std::string* recycle, Pins* pins) {
  const SealedSegment& segment = sealed_[i];
  if (pins->hold(segment.folder, segment.id) || !freeSegment(segment.folder, segment.id, recycle, pins->now()))
    return false;
  sealed_bytes_ -= segment.bytes;
  sealed_.erase(sealed_.begin() + static_cast<ptrdiff_t>(i));
  ++freed_;
  return true;
}

bool Retention::freeOne(const std::string* recycle, Pins* pins) {
  for (size_t i = 0; i < sealed_.size(); ++i)
    if (freeAt(i, recycle, pins)) return true;
  return false;
}

bool Retention::makeRoom(uint64_t bytes, const std::string& path, Nanos now) {
  const std::lock_guard lock(mutex_);
  Pins pins(now);
  struct stat found;
  bool recycled = false;
  while (over(bytes)) {
    // A second file takes the place of the first.
    if (!freeOne(&path, &pins)) break;
    recycled = ::stat(path.c_str(), &found) == 0;
  }
  return recycled;
}

bool Retention::freeOldest(Nanos now) {
  const std::lock_guard lock(mutex_);
  Pins pins(now);
  return freeOne(nullptr, &pins);
}

void Retention::enforce(Nanos now) {
  const std::lock_guard lock(mutex_);
  if (held_at_ && now >= *held_at_ && now - *held_at_ < kHeldNs) return;
  Pins pins(now);
  bool held = false;
  while (over(0) && !held) held = !freeOne(nullptr, &pins);
  const Nanos oldest_kept = now - limits_.age_s * kNanosPerSecond;
  if (limits_.age_s != 0) {
    // A clock that was set back: their age counts from now on.
    for (SealedSegment& segment : sealed_) segment.end = std::min(segment.end, now);
  }
  // By end: all that are too old stand in front, and each of them is tried.
  for (size_t i = 0; limits_.age_s != 0 && i < sealed_.size() && sealed_[i].end < oldest_kept;)
    if (!freeAt(i, nullptr, &pins)) held = true, ++i;
  if (held && !sealed_.empty()) held_at_ = now;
  else held_at_.reset();
}

uint64_t Retention::bytes() const {
  const std::lock_guard lock(mutex_);
  uint64_t all = sealed_bytes_;
  for (const auto& [path, bytes] : open_) all += bytes;
  return all;
}

size_t Retention::segments() const {
  const std::lock_guard lock(mutex_);
  return sealed_.size();
}

Nanos Retention::oldest() const {
  const std::lock_guard lock(mutex_);
  return sealed_.empty() ? 0 : sealed_.front().end;
}

uint64_t Retention::freed() const {
  const std::lock_guard lock(mutex_);
  return freed_;
}

}  // namespace spillway::capture
