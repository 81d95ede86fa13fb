// Keeps a job's buffer within its limits: the oldest sealed segments of all its interfaces go first. A segment that is
// pinned (pins.h) or that somebody reads (a shared lock on it) stays, and the next oldest goes. Segments under
// construction are counted, never touched.
//
// A reader opens the segment, takes the shared lock (flock), and then looks whether the name still leads to the file it
// holds; where it does not, the segment is gone.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "capture/pins.h"

namespace spillway::capture {

struct RetentionLimits {
  uint64_t bytes = 0;  // 0: no limit
  int64_t age_s = 0;   // 0: no limit
};

struct SealedSegment {
  std::string folder;  // of the interface
  uint64_t id = 0;
  uint64_t bytes = 0;  // with its sidecar
  Nanos end = 0;       // largest time of its packets, or when it was sealed
};

// Used by several threads.
class Retention {
 public:
  explicit Retention(RetentionLimits limits) : limits_(limits) {}

  void setLimits(RetentionLimits limits);
  RetentionLimits limits() const;

  void add(const SealedSegment& segment);
  // The segment under construction at `path` takes this much; 0 when it is gone.
  void setOpen(const std::string& path, uint64_t bytes);
  // The one that was under construction at `path` is sealed.
  void sealed(const std::string& path, const SealedSegment& segment);

  // Frees what a new segment of `bytes` needs to fit into the limits. The file of the last segment freed is renamed to
  // `path` where that can be, to be written over; true if so.
  bool makeRoom(uint64_t bytes, const std::string& path, Nanos now);
  // The disk is full: frees the oldest segment that can be. False where there is none.
  bool freeOldest(Nanos now);
  // Frees what is too old or too much by now. Made for being called often: where something had to stay, the next look
  // is a moment later.
  void enforce(Nanos now);

  uint64_t bytes() const;  // sealed and open
  size_t segments() const;
  Nanos oldest() const;    // end of the oldest segment; 0 without one
  uint64_t freed() const;  // segments

 private:
  void insert(const SealedSegment& segment);
  bool over(uint64_t more) const;
  // Frees the one at this place, into `recycle` (a path) where it is not null. False where it has to stay.
  bool freeAt(size_t i, const std::string* recycle, Pins* pins);
  // Frees the oldest that can be. False where none can be.
  bool freeOne(const std::string* recycle, Pins* pins);

  mutable std::mutex mutex_;
  RetentionLimits limits_;
  // Those of one folder in the order in which they came, whatever the clock did; of several folders by end.
  std::vector<SealedSegment> sealed_;
  std::map<std::string, uint64_t> open_;
  uint64_t sealed_bytes_ = 0;
  uint64_t freed_ = 0;
  std::optional<Nanos> held_at_;  // when enforce last had to leave what should go
};

// Removes a segment with all that belongs to it, or renames its file to `recycle` and removes the rest. False where it
// is pinned at `now`, locked, or can't be removed.
bool freeSegment(const std::string& folder, uint64_t id, const std::string* recycle, Nanos now);

}  // namespace spillway::capture
