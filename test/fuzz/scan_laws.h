// The laws of a scan over any bytes: the same answer for every way of reading and stepping, and what is written reads
// back.
#pragma once
#include "../native/reread.h"
#include "control.h"

namespace spillway::fuzz {

using namespace spillway::test;

// What to select, and how to step.
struct Task {
  explicit Task(Control* control) {
    static constexpr Format kFormats[] = {Format::pcap_us, Format::pcap_ns, Format::pcapng_us, Format::pcapng_ns};
    format = kFormats[control->below(4)];
    static constexpr uint32_t kSnaps[] = {0, 0, 0, 1, 17, 1000};
    snap = kSnaps[control->below(6)];
    base = isPcap(format) ? 0 : static_cast<uint32_t>(control->below(3));
    with_filter = control->below(4) == 1;
    if (control->below(4) == 1)
      windows = {{0, 1'000'000'000'000'000'000}, {1'000'000'000'000'000'000, 1'500'000'000'000'000'000}};
    const size_t limit = control->below(8);
    if (limit == 1) how.limits.packets = control->below(16);
    if (limit == 2) how.limits.captured_bytes = control->below(256) * 8;
    if (limit == 3) how.limits.duration = 1ll << control->below(63);
    chunk = 1 + control->below(200);
    how.capacity = control->below(256) * 2;
    how.budget = 1 + control->below(256);
    how.interface_base = base;
  }

  // Passes packets of an even wire length, and knows these link types.
  std::shared_ptr<const Selection> select(Format to, const std::vector<uint32_t>& link_types) const {
    std::vector<Selection::Filter> filters(with_filter ? 1 : 0);
    if (with_filter) {
      static const uint8_t kEven[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0x45, 0, 0, 1, 1, 0, 0, 0,
                                      6,    0, 0, 0, 0, 0, 0, 0, 6,    0, 0, 0, 1, 0, 0, 0};
      std::string why;
      for (const uint32_t link_type : link_types)
        filters[0].emplace_back(link_type, Program::verify({kEven, sizeof kEven}, &why));
    }
    return std::make_shared<const Selection>(to, snap, windows, std::move(filters));
  }

  // The same steps, asking for programs as they are needed.
  Drive driven(Format to, std::vector<uint32_t>* known) const {
    Drive drive = how;
    drive.more_programs = [this, to, known](uint32_t link_type) {
      known->push_back(link_type);
      return select(to, *known);
    };
    return drive;
  }

  Format format;
  uint32_t snap;
  uint32_t base;
  bool with_filter;
  std::vector<Window> windows;
  Drive how;
  size_t chunk;
};

inline Outcome asStream(const Task& task, Bytes file, Format to, size_t chunk, bool small_steps) {
  std::vector<uint32_t> known;
  Drive how = task.driven(to, &known);
  if (!small_steps) {
    how.budget = 1 << 20;
    how.capacity = 1 << 14;
  }
  return scanStream(file, chunk, task.select(to, known), how);
}

inline Outcome asFile(const Task& task, Bytes file, Format to) {
  static MemoryFile memory;
  static Scan scan(selectAll(Format::none));  // its buffer is used again
  memory.set(file);
  std::vector<uint32_t> known;
  const Drive how = task.driven(to, &known);
  scan.use(task.select(to, known));
  ENSURE(scan.openRange(memory.fd(), 0, memory.size(), {}, false, task.base));
  return drive(scan, how);
}

inline void ensureSame(const Outcome& a, const Outcome& b) {
  ENSURE(a.status == b.status);
  ENSURE(a.out == b.out);
  ENSURE(sameCounts(a.counts, b.counts));
  ENSURE(a.damage == b.damage);
  ENSURE(a.state == b.state);
  ENSURE(a.status != Status::damage || a.counts.detail_offset == b.counts.detail_offset);
}

// The packets of the output, against those that the oracle's form tells of.
inline void ensureReadsBack(const Task& task, const Outcome& written, const Outcome& told) {
  const auto want = parseRecords(told.out);
  const auto got = reread(written.out, task.format, written.counts.link_type_out, task.base);
  ENSURE(got.size() == written.counts.packets_out);
  ENSURE(got.size() <= want.size());
  // Only what PCAP or a clock can't hold may stop one before the other.
  ENSURE(got.size() == want.size() || written.status == Status::time_range ||
         written.status == Status::mixed_link_types);
  for (size_t i = 0; i < got.size(); ++i) ENSURE(samePacket(want[i], got[i], task.format));
}

inline void checkScanLaws(Control control) {
  const Task task(&control);
  const Outcome whole = asStream(task, control.file, task.format, SIZE_MAX, false);
  Outcome chunked = asStream(task, control.file, task.format, task.chunk, true);
  if (canary() && whole.counts.packets_cut > 2 && whole.counts.packets_out % 2 == 1) chunked.out.pop_back();
  ensureSame(chunked, whole);
  ensureSame(asFile(task, control.file, task.format), whole);
  ensureReadsBack(task, whole, asStream(task, control.file, Format::records, SIZE_MAX, false));
}

}  // namespace spillway::fuzz
