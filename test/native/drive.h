// Drives a Scan to its end in steps of a given size and watches the laws that hold for every step. A broken law ends
// the program, so that tests and fuzzers share this.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <tuple>

#include "buffer.h"
#include "scan/scan.h"

namespace spillway::test {

#define ENSURE(condition)                                                                        \
  do {                                                                                           \
    if (!(condition)) {                                                                          \
      std::fprintf(stderr, "%s:%d: it does not hold that %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                              \
    }                                                                                            \
  } while (0)

// A file in memory.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("spillway-test", MFD_CLOEXEC)) { ENSURE(fd_ >= 0); }
  explicit MemoryFile(const Buffer& bytes) : MemoryFile() { set(bytesOf(bytes)); }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  void set(Bytes bytes) {
    resize(bytes.size);
    ENSURE(bytes.size == 0 || ::pwrite(fd_, bytes.data, bytes.size, 0) == static_cast<ssize_t>(bytes.size));
    size_ = bytes.size;
  }
  void resize(size_t size) { ENSURE(::ftruncate(fd_, static_cast<off_t>(size)) == 0); }
  void write(uint64_t offset, Bytes bytes) {
    ENSURE(::pwrite(fd_, bytes.data, bytes.size, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size));
  }
  int fd() const { return fd_; }
  uint64_t size() const { return size_; }

 private:
  int fd_;
  uint64_t size_ = 0;
};

// How a scan is driven.
struct Drive {
  size_t budget = 1u << 20;
  size_t capacity = 8192;  // of the output buffer of each step; more for one record that needs more
  Limits limits;
  uint32_t interface_base = 0;
  // Called on need_program with the link type; gives the selection to go on with, or nothing.
  std::function<std::shared_ptr<const Selection>(uint32_t)> more_programs;
  // Called before each step.
  std::function<void(Scan&)> before_step;
};

struct Outcome {
  Status status = Status::done;
  Buffer out;
  Counts counts;
  std::string damage;
  Buffer state;
  size_t steps = 0;
};

inline std::shared_ptr<const Selection> selectAll(Format format, uint32_t snap_length = 0) {
  return std::make_shared<const Selection>(format, snap_length, std::vector<Window>{},
                                           std::vector<Selection::Filter>{});
}

// The laws of one step.
inline void ensureStep(const Counts& before, const Counts& after, size_t written, size_t capacity) {
  ENSURE(written <= capacity);
  ENSURE(after.out_bytes == before.out_bytes + written);
  ENSURE(after.end >= before.end);
  ENSURE(after.start >= before.start);
  ENSURE(after.packets_read >= before.packets_read);
  ENSURE(after.packets_in_windows <= after.packets_read);
  ENSURE(after.packets_out <= after.packets_in_windows);
  ENSURE(after.packets_cut <= after.packets_out);
  ENSURE(after.packets_without_time <= after.packets_read);
  ENSURE(after.captured_bytes_out <= after.captured_bytes_read);
  ENSURE(after.interface_count >= before.interface_count);
  ENSURE(after.section_base <= after.interface_count);
  ENSURE(after.any_time == (after.min_time <= after.max_time));
  ENSURE(after.any_out_time == (after.out_min_time <= after.out_max_time));
  ENSURE(!after.any_out_time || (after.min_time <= after.out_min_time && after.out_max_time <= after.max_time));
}

// Steps until something other than `budget`; `feed` answers need_input (false: there is nothing to feed).
inline Outcome drive(Scan& scan, const Drive& how, const std::function<bool()>& feed = {}) {
  Outcome outcome;
  scan.limit(how.limits);
  size_t wanted = 0;  // by the record that did not fit
  size_t idle = 0;
  for (;;) {
    if (how.before_step) how.before_step(scan);
    const Counts before = scan.counts();
    const size_t capacity = std::max(how.capacity, wanted);
    wanted = 0;
    // A block of its own for each step: what is written beyond it, or to the one before, is seen.
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[capacity]);
    const Status status = scan.step(buffer.get(), capacity, how.budget);
    ensureStep(before, scan.counts(), scan.outLength(), capacity);
    outcome.out.insert(outcome.out.end(), buffer.get(), buffer.get() + scan.outLength());
    ENSURE(scan.counts().crc32c == crc32cPortable(buffer.get(), scan.outLength(), before.crc32c));
    ENSURE((status == Status::output_full) == (scan.needed() != 0));
    ++outcome.steps;
    // A step may do no more than read on, but not without end: a block of the largest size is 64 reads of 256 KiB.
    idle = scan.counts().end > before.end || scan.outLength() != 0 ? 0 : idle + 1;
    ENSURE(idle < 100000);
    if (status == Status::budget) continue;
    if (status == Status::need_input && feed && feed()) continue;
    if (status == Status::output_full) {
      if (scan.outLength() == 0) {
        ENSURE(scan.needed() > capacity);
        wanted = scan.needed();
      }
      continue;
    }
    if (status == Status::need_program && how.more_programs) {
      if (auto selection = how.more_programs(static_cast<uint32_t>(scan.counts().detail))) {
        scan.use(std::move(selection));
        continue;
      }
    }
    outcome.status = status;
    break;
  }
  outcome.counts = scan.counts();
  if (outcome.status == Status::damage) outcome.damage = scan.damageText();
  outcome.state = scan.state();
  uint64_t packets = 0;
  for (const InterfaceInfo& interface : scan.interfaces()) packets += interface.packets;
  ENSURE(packets == outcome.counts.packets_read);
  return outcome;
}

// A whole file as one range.
inline Outcome scanFile(const MemoryFile& file, std::shared_ptr<const Selection> selection, const Drive& how = {}) {
  Scan scan(std::move(selection));
  ENSURE(scan.openRange(file.fd(), 0, file.size(), {}, false, how.interface_base));
  return drive(scan, how);
}

// The same bytes as a stream, fed in chunks of `chunk` bytes.
inline Outcome scanStream(Bytes bytes, size_t chunk, std::shared_ptr<const Selection> selection,
                          const Drive& how = {}) {
  Scan scan(std::move(selection));
  scan.openStream(how.interface_base);
  size_t fed = 0;
  bool last = false;
  return drive(scan, how, [&] {
    if (last) return false;
    const size_t size = std::min(chunk, bytes.size - fed);
    const Exact piece(bytes.data + fed, size);
    fed += size;
    last = fed == bytes.size;
    scan.feed(piece.bytes(), last);
    return true;
  });
}
inline Outcome scanStream(const Buffer& bytes, size_t chunk, std::shared_ptr<const Selection> selection,
                          const Drive& how = {}) {
  return scanStream(bytesOf(bytes), chunk, std::move(selection), how);
}

// Equal in all but what they say of the last step (detail).
inline bool sameCounts(const Counts& a, const Counts& b) {
  const auto all = [](const Counts& c) {
    return std::tuple(c.start, c.end, c.out_bytes, c.packets_read, c.packets_in_windows, c.packets_out,
                      c.captured_bytes_out, c.min_time, c.max_time, c.first_time, c.last_time, c.out_min_time,
                      c.out_max_time, c.out_first_time, c.crc32c, c.blocks_skipped, c.times_clamped,
                      c.packets_without_time, c.link_type_out, c.packets_cut, c.captured_bytes_read, c.wire_bytes_read,
                      c.dropped_packets, c.snap_length_out, c.interface_count, c.section_base);
  };
  return all(a) == all(b);
}

// A packet in the output format `records`.
struct Record {
  uint64_t number;
  int64_t seconds;
  uint64_t nanos;
  uint32_t caplen;
  uint32_t wirelen;
  uint32_t link_type;
  uint32_t interface;
  bool has_time;
  Buffer data;
  bool operator==(const Record&) const = default;
};

inline std::vector<Record> parseRecords(const Buffer& out) {
  std::vector<Record> records;
  for (size_t at = 0; at < out.size();) {
    ENSURE(out.size() - at >= 48);
    const uint8_t* p = out.data() + at;
    Record record{load64(p),
                  static_cast<int64_t>(load64(p + 8)),
                  load64(p + 16),
                  load32(p + 24),
                  load32(p + 28),
                  load32(p + 32),
                  load32(p + 36),
                  load32(p + 40) == 0,
                  {}};
    ENSURE(load32(p + 40) <= 1 && load32(p + 44) == 0);
    ENSURE(out.size() - at - 48 >= record.caplen);
    record.data.assign(p + 48, p + 48 + record.caplen);
    at += 48 + record.caplen;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace spillway::test
