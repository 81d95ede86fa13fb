// What the threads of one interface tell each other, and whoever asks for the state.
#pragma once
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "capture/losses.h"
#include "capture/marks.h"
#include "capture/packet_source.h"

namespace spillway::capture {

struct Progress {
  // Told by the reading thread.
  std::atomic<Link> link{Link::up};
  std::atomic<uint64_t> received{0};  // packets taken from the source

  // Told by both, each what it lost.
  std::atomic<uint64_t> lost_ring{0};
  std::atomic<uint64_t> lost_queue{0};
  std::atomic<uint64_t> lost_disk{0};

  // Told by the writing thread.
  std::atomic<int> disk_error{0};  // the errno that writing waits on; 0: it goes on
  std::atomic<uint64_t> packets{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> segment_id{0};
  std::atomic<uint64_t> visible_bytes{0};
  std::atomic<uint64_t> durable_bytes{0};

  // Asked of the writing thread: seals that were asked for and that were done.
  std::atomic<uint64_t> seals_asked{0};
  std::atomic<uint64_t> seals_done{0};

  // The capture ends at this time of the steady clock, in ms, whatever could not be written; 0: not yet.
  std::atomic<int64_t> deadline_ms{0};

  void addLost(const Loss& loss) {
    LossTotals lost;
    lost.add(loss);
    lost_ring += lost.ring;
    lost_queue += lost.queue;
    lost_disk += lost.disk;
  }
};

// What the disk's error and the link make together.
inline CaptureState stateOf(int disk_error, Link link) {
  if (disk_error == ENOSPC || disk_error == EDQUOT) return CaptureState::disk_full;
  if (disk_error != 0) return CaptureState::disk_error;
  if (link == Link::down) return CaptureState::link_down;
  if (link == Link::gone) return CaptureState::link_gone;
  return CaptureState::capturing;
}

}  // namespace spillway::capture
