#include "capture/retention.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>

#include "capture/files.h"
#include "capture/segment_name.h"

namespace spillway::capture {

bool freeSegment(const std::string& folder, uint64_t id, const std::string* recycle) {
  std::vector<FolderEntry> entries;
  if (listFolder(folder, &entries) != 0) return false;
  std::erase_if(entries, [&](const FolderEntry& entry) { return entry.id != id; });
  if (std::any_of(entries.begin(), entries.end(), [](const FolderEntry& e) { return e.kind == EntryKind::pin; }))
    return false;
  const std::string path = folder + "/" + sealedName(id);
  int error;
  const Fd fd = openFile(path, O_RDWR, &error);
  // The lock is held until the name is gone: whoever opened the file before and locks it after sees that.
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  if (!fd && error != ENOENT) return false;
  if (fd && (recycle == nullptr || renameFile(path, *recycle) != 0) && removeFile(path) != 0) return false;
  for (const FolderEntry& entry : entries)
    if (entry.kind == EntryKind::index || entry.kind == EntryKind::leftover) removeFile(folder + "/" + entry.name);
  return true;
}

void Retention::setLimits(RetentionLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
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

bool Retention::freeOne(const std::string* recycle) {
  for (auto segment = sealed_.begin(); segment != sealed_.end(); ++segment) {
    if (!freeSegment(segment->folder, segment->id, recycle)) continue;
    sealed_bytes_ -= segment->bytes;
    sealed_.erase(segment);
    ++freed_;
    return true;
  }
  return false;
}

bool Retention::makeRoom(uint64_t bytes, const std::string& path) {
  const std::lock_guard lock(mutex_);
  struct stat found;
  bool recycled = false;
  while (over(bytes)) {
    // A second file takes the place of the first.
    if (!freeOne(&path)) break;
    recycled = ::stat(path.c_str(), &found) == 0;
  }
  return recycled;
}

bool Retention::freeOldest() {
  const std::lock_guard lock(mutex_);
  return freeOne(nullptr);
}

void Retention::enforce(Nanos now) {
  const std::lock_guard lock(mutex_);
  while (over(0))
    if (!freeOne(nullptr)) break;
  if (limits_.age_s == 0) return;
  const Nanos oldest_kept = now - limits_.age_s * kNanosPerSecond;
  for (size_t i = 0; i < sealed_.size();) {
    // A clock that was set back: its age counts from now on.
    sealed_[i].end = std::min(sealed_[i].end, now);
    if (sealed_[i].end < oldest_kept && freeSegment(sealed_[i].folder, sealed_[i].id, nullptr)) {
      sealed_bytes_ -= sealed_[i].bytes;
      sealed_.erase(sealed_.begin() + static_cast<ptrdiff_t>(i));
      ++freed_;
    } else {
      ++i;
    }
  }
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
