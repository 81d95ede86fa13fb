// The two marks of an interface's buffer, published in its file `marks`: how far the segment under construction can be
// read (visible: what kill -9 leaves) and how far it is on the disk (durable: what a power cut leaves).
//
// The file is one page, mapped shared by the capture and read by others with one pread; everything is little-endian:
//
//   offset  0  "SPILMARK"
//           8  u32 version, 1
//          12  u32 bytes of a slot, 128
//          64  slot 0
//         192  slot 1
//
//   a slot  0  u64 sequence       8  u64 segment id        16  u64 visible bytes     24  u64 durable bytes
//          32  u64 packets within the visible bytes        40  i64 their smallest time, ns   48  i64 their largest
//          56  u64 packets stored since the capture began  64  u64 lost in the ring, 72 by a full queue, 80 by the disk
//          88  i64 time of this commit, ns: every packet that came more than 500 ms before it is visible or lost
//          96  16 bytes boot id  112  u32 state (CaptureState)  120  u32 zero  124  u32 CRC-32C of the bytes before
//
// The slots are written in turn, so one of them is always whole, also after kill -9 in the middle: the one with the
// higher sequence whose CRC is right holds. A reader that finds none reads again. Where no `.part` file has the
// segment's id it is sealed, and its length is the file's. A `.part` file with a lower id is complete, too: it is being
// made durable, and ends where the file does. Where every commit is to be durable, marks of a segment are published
// only when the one before is sealed: a power cut finds those that it needs.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "capture/fd.h"

namespace spillway::capture {

using BootId = std::array<uint8_t, 16>;

enum class CaptureState : uint32_t {
  stopped = 0,
  capturing = 1,
  link_down = 2,
  link_gone = 3,
  disk_full = 4,
  disk_error = 5
};
const char* nameOf(CaptureState state);

struct Marks {
  uint64_t segment_id = 0;
  uint64_t visible_bytes = 0;
  uint64_t durable_bytes = 0;
  uint64_t packets = 0;
  Nanos smallest_time = 0;
  Nanos largest_time = 0;
  uint64_t packets_stored = 0;
  uint64_t lost_ring = 0;
  uint64_t lost_queue = 0;
  uint64_t lost_disk = 0;
  Nanos committed_at = 0;
  BootId boot_id{};
  CaptureState state = CaptureState::stopped;
};

constexpr size_t kMarksBytes = 4096;

// The marks in a copy of the page; none where no slot is whole.
std::optional<Marks> decodeMarks(Bytes page);

// Of a folder; none where there is no file, or no whole slot.
std::optional<Marks> readMarks(const std::string& folder);

// This boot's id, zero where the system tells none.
BootId bootId();

// Publishes. One thread at a time.
class MarksPage {
 public:
  MarksPage() = default;
  ~MarksPage();
  MarksPage(const MarksPage&) = delete;
  MarksPage& operator=(const MarksPage&) = delete;
  // Opens or makes the file in `folder`. Returns 0 or -errno.
  int open(const std::string& folder);
  void publish(const Marks& marks);
  // What is synced (fdatasync) to make durable what was published.
  int fd() const { return fd_.get(); }

 private:
  Fd fd_;
  uint8_t* page_ = nullptr;
  uint64_t sequence_ = 0;
};

}  // namespace spillway::capture
