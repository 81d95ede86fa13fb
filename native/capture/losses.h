// What was lost, when and why: the append-only file `losses` of an interface's folder, little-endian.
//
//   header   0  "SPILLOSS"   8  u32 version, 1   12  u32 bytes of a record, 48
//   record   0  u32 CRC-32C of the other bytes   4  u8 kind, 3 zero   8  u64 segment open at that time (0: none)
//           16  i64 start, ns    24  i64 end, ns    32  u64 packets, 2^64-1: not known   40  u64 zero
//
// [start, end) is by the clock of the system and holds every moment at which such a packet may have come. The records
// of one capture add up: every packet that the interface had is stored, was not wanted, or is in one of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "capture/fd.h"

namespace spillway::capture {

// Stored in files: never renumber.
enum class LossKind : uint8_t {
  ring = 1,       // the kernel's ring was full: the reader was too slow
  queue = 2,      // the ring was full because the queue to the disk was: the disk was too slow
  disk = 3,       // the disk was full or failed
  link_down = 4,  // the interface was down: nothing could come
  link_gone = 5,  // the interface did not exist
  stopped = 6,    // no capture ran
};

constexpr uint64_t kUnknownPackets = ~uint64_t{0};

struct Loss {
  LossKind kind = LossKind::ring;
  Nanos start = 0;
  Nanos end = 0;
  uint64_t packets = 0;
  uint64_t segment_id = 0;
  bool operator==(const Loss&) const = default;
};

// Between two readings of the system's clock, which may have been set back meanwhile: from the smaller to the larger.
Loss lossBetween(LossKind kind, Nanos one, Nanos other, uint64_t packets);

// Packets lost by what they were lost to. Gaps, whose packets are not known, count nothing.
struct LossTotals {
  uint64_t ring = 0;
  uint64_t queue = 0;
  uint64_t disk = 0;
  void add(const Loss& loss);
  uint64_t sum() const { return ring + queue + disk; }
};

// Adds to a list, making one of it and the last of the same kind where both are losses that touch.
void mergeLoss(std::vector<Loss>* list, const Loss& loss);

// Every whole record; ends at the first that is not.
std::vector<Loss> decodeLosses(Bytes file);
std::vector<Loss> readLosses(const std::string& folder);

class LossLog {
 public:
  // Opens or begins the file, and cuts a record that was not finished; of a file over limits::kMaxLossBytes the newer
  // losses are kept. Returns 0 or -errno.
  int open(const std::string& folder);
  int append(const Loss& loss);
  int sync();

 private:
  int keepNewer(const std::string& folder, Bytes file);

  Fd fd_;
  uint64_t size_ = 0;
};

}  // namespace spillway::capture
