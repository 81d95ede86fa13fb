#include "capture/marks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/crc32c.h"
#include "base/file.h"
#include "capture/files.h"

namespace spillway::capture {
namespace {

constexpr char kMagic[] = "SPILMARK";
constexpr uint32_t kVersion = 1;
constexpr size_t kSlotBytes = 128;
constexpr size_t kCrcAt = kSlotBytes - 4;
constexpr size_t kSlotsAt = 64;

size_t slotAt(uint64_t sequence) { return kSlotsAt + (sequence & 1) * kSlotBytes; }

void encode(uint64_t sequence, const Marks& marks, uint8_t* slot) {
  std::memset(slot, 0, kSlotBytes);
  const uint64_t words[] = {sequence,
                            marks.segment_id,
                            marks.visible_bytes,
                            marks.durable_bytes,
                            marks.packets,
                            static_cast<uint64_t>(marks.smallest_time),
                            static_cast<uint64_t>(marks.largest_time),
                            marks.packets_stored,
                            marks.lost_ring,
                            marks.lost_queue,
                            marks.lost_disk,
                            static_cast<uint64_t>(marks.committed_at)};
  uint8_t* to = slot;
  for (const uint64_t word : words) {
    store64(to, word);
    to += 8;
  }
  std::memcpy(to, marks.boot_id.data(), marks.boot_id.size());
  store32(to + 16, static_cast<uint32_t>(marks.state));
  store32(slot + kCrcAt, crc32c(slot, kCrcAt));
}

// The slot's sequence; none where its CRC is wrong.
std::optional<uint64_t> decode(const uint8_t* slot, Marks* marks) {
  if (crc32c(slot, kCrcAt) != load32(slot + kCrcAt)) return std::nullopt;
  Cursor from(Bytes{slot, kCrcAt});
  const uint64_t sequence = from.u64();
  marks->segment_id = from.u64();
  marks->visible_bytes = from.u64();
  marks->durable_bytes = from.u64();
  marks->packets = from.u64();
  marks->smallest_time = static_cast<Nanos>(from.u64());
  marks->largest_time = static_cast<Nanos>(from.u64());
  marks->packets_stored = from.u64();
  marks->lost_ring = from.u64();
  marks->lost_queue = from.u64();
  marks->lost_disk = from.u64();
  marks->committed_at = static_cast<Nanos>(from.u64());
  std::memcpy(marks->boot_id.data(), from.take(16), 16);
  marks->state = static_cast<CaptureState>(from.u32());
  return sequence;
}

// The marks and their sequence.
std::optional<std::pair<uint64_t, Marks>> newest(Bytes page) {
  if (page.size < kSlotsAt + 2 * kSlotBytes || std::memcmp(page.data, kMagic, 8) != 0) return std::nullopt;
  if (load32(page.data + 8) != kVersion || load32(page.data + 12) != kSlotBytes) return std::nullopt;
  std::optional<std::pair<uint64_t, Marks>> best;
  for (uint64_t i = 0; i < 2; ++i) {
    Marks marks;
    const auto sequence = decode(page.data + slotAt(i), &marks);
    if (sequence && (!best || *sequence > best->first)) best = {*sequence, marks};
  }
  return best;
}

}  // namespace

const char* nameOf(CaptureState state) {
  switch (state) {
    case CaptureState::stopped:
      return "stopped";
    case CaptureState::capturing:
      return "capturing";
    case CaptureState::link_down:
      return "link_down";
    case CaptureState::link_gone:
      return "link_gone";
    case CaptureState::disk_full:
      return "disk_full";
    case CaptureState::disk_error:
      return "disk_error";
  }
  return "unknown";
}

std::optional<Marks> decodeMarks(Bytes page) {
  const auto found = newest(page);
  if (!found) return std::nullopt;
  return found->second;
}

std::optional<Marks> readMarks(const std::string& folder) {
  std::vector<uint8_t> page;
  if (readWhole(folder + "/marks", kMarksBytes, &page) != 0) return std::nullopt;
  return decodeMarks({page.data(), page.size()});
}

BootId bootId() {
  BootId id{};
  int error;
  const Fd fd = openFile("/proc/sys/kernel/random/boot_id", O_RDONLY, &error);
  uint8_t text[36];
  if (!fd || readAt(fd.get(), text, sizeof text, 0) != sizeof text) return id;
  size_t digits = 0;
  for (const uint8_t c : text) {
    if (c == '-' || digits == 32) continue;
    const int value = c >= 'a' ? c - 'a' + 10 : c - '0';
    id[digits / 2] = static_cast<uint8_t>(id[digits / 2] << 4 | (value & 15));
    ++digits;
  }
  return id;
}

MarksPage::~MarksPage() {
  if (page_ != nullptr) ::munmap(page_, kMarksBytes);
}

int MarksPage::open(const std::string& folder) {
  int error;
  fd_ = openFile(folder + "/marks", O_RDWR | O_CREAT, &error);
  if (!fd_) return -error;
  // Room on the disk now, also where none can be reserved: a page without would end the process at the first write to
  // it.
  uint8_t bytes[kMarksBytes] = {};
  if (const int64_t got = readAt(fd_.get(), bytes, sizeof bytes, 0); got < 0) return static_cast<int>(got);
  if (const int result = writeAllAt(fd_.get(), Bytes{bytes, sizeof bytes}, 0); result != 0) return result;
  void* memory = ::mmap(nullptr, kMarksBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED) return -errno;
  page_ = static_cast<uint8_t*>(memory);
  if (const auto found = newest({page_, kMarksBytes})) {
    sequence_ = found->first;
    return 0;
  }
  std::memset(page_, 0, kMarksBytes);
  store32(page_ + 8, kVersion);
  store32(page_ + 12, kSlotBytes);
  std::memcpy(page_, kMagic, 8);
  return 0;
}

void MarksPage::publish(const Marks& marks) {
  uint8_t slot[kSlotBytes];
  ++sequence_;
  encode(sequence_, marks, slot);
  std::memcpy(page_ + slotAt(sequence_), slot, kSlotBytes);
  std::atomic_thread_fence(std::memory_order_release);
}

}  // namespace spillway::capture
