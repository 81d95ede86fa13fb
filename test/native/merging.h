// Drives a Merge to its end and watches the laws of every step; and the plain model of what comes out, packet by
// packet.
#pragma once
#include <algorithm>

#include "drive.h"
#include "filter/cbpf.h"
#include "lanes.h"
#include "scan/merge.h"

namespace spillway::test {

// A source of a merge: a file, the same bytes as a stream, or as a lane that is cut there.
struct Part {
  Buffer bytes;
  bool is_stream = false;
  std::vector<Cut> cuts = {};
};

struct MergeDrive {
  size_t budget = 1u << 20;
  size_t capacity = 8192;
  size_t read_bytes = 100;
  size_t chunk = 100;  // fed to a stream at once
  bool counts_anew = false;
  Limits limits;
  std::function<std::shared_ptr<const Selection>(uint32_t)> more_programs;
  // Called with `alone` and `need_next`; false ends the drive.
  std::function<bool(const Merge&)> go_on;
  // Until when a lane is said to be idle, which may be until the time that is given; nothing: it is given what follows.
  std::function<std::optional<Nanos>(Nanos)> idle;
};

struct MergeDamage {
  uint32_t source;
  uint64_t offset;
  std::string text;
  bool operator==(const MergeDamage&) const = default;
};

struct MergeOutcome {
  Status status = Status::done;
  uint32_t source = Merge::kNoSource;
  Buffer out;
  Counts counts;  // of all, though the merge may have counted anew
  std::vector<MergeDamage> damage;
  size_t alone = 0;
  size_t asked = 0;
};

// The time of the first packet, as whoever adds a source knows it.
inline Nanos firstTimeOf(const Buffer& bytes) {
  Drive how;
  how.limits.packets = 1;
  const Outcome first = scanStream(bytes, SIZE_MAX, selectAll(Format::none), how);
  return first.counts.any_time ? first.counts.first_time : kNanosMin;
}

// Counts of two stretches that follow one another; crc32c and the last step's details are those of `b`.
inline Counts added(const Counts& a, const Counts& b) {
  Counts c = b;
  c.end += a.end;
  c.out_bytes += a.out_bytes;
  c.packets_read += a.packets_read;
  c.packets_in_windows += a.packets_in_windows;
  c.packets_out += a.packets_out;
  c.captured_bytes_out += a.captured_bytes_out;
  c.min_time = std::min(a.min_time, b.min_time);
  c.max_time = std::max(a.max_time, b.max_time);
  if (a.any_time) c.first_time = a.first_time;
  if (!b.any_time) c.last_time = a.last_time;
  c.any_time |= a.any_time;
  c.out_min_time = std::min(a.out_min_time, b.out_min_time);
  c.out_max_time = std::max(a.out_max_time, b.out_max_time);
  if (a.any_out_time) c.out_first_time = a.out_first_time;
  c.any_out_time |= a.any_out_time;
  c.crc32c = crc32cCombine(a.crc32c, b.crc32c, b.out_bytes);
  c.blocks_skipped += a.blocks_skipped;
  c.times_clamped += a.times_clamped;
  c.packets_without_time += a.packets_without_time;
  c.packets_cut += a.packets_cut;
  c.captured_bytes_read += a.captured_bytes_read;
  c.wire_bytes_read += a.wire_bytes_read;
  c.dropped_packets += a.dropped_packets;
  return c;
}

class MergeRun {
 public:
  MergeRun(const std::vector<Part>& parts, std::shared_ptr<const Selection> selection, const MergeDrive& how,
           uint32_t interface_count = 0)
      : parts_(parts), how_(how), merge_(std::move(selection), interface_count, -1), fed_(parts.size()) {
    for (const Part& part : parts) {
      // A lane's bytes are written as it grows, over others.
      files_.push_back(std::make_unique<MemoryFile>(part.cuts.empty() ? part.bytes : Buffer(part.bytes.size(), 0x5a)));
      const MemoryFile& file = *files_.back();
      if (part.is_stream) merge_.addStream(firstTimeOf(part.bytes));
      else if (!part.cuts.empty()) merge_.addLane(firstTimeOf(part.bytes));
      else ENSURE(merge_.addRange(file.fd(), 0, file.size(), {}, 0, firstTimeOf(part.bytes), how.read_bytes));
    }
  }

  Merge& merge() { return merge_; }
  const MemoryFile& file(uint32_t part) const { return *files_[part]; }
  // The cut at which a lane goes on; nothing: all of it was given.
  const Cut* next(uint32_t part) const {
    return fed_[part] < parts_[part].cuts.size() ? &parts_[part].cuts[fed_[part]] : nullptr;
  }

  MergeOutcome run() {
    merge_.limit(how_.limits);
    Counts before;
    size_t wanted = 0, idle = 0;
    for (;;) {
      const Counts counts = merge_.counts();
      const size_t capacity = std::max(how_.capacity, wanted);
      wanted = 0;
      const std::unique_ptr<uint8_t[]> buffer(new uint8_t[capacity]);
      const Status status = merge_.step(buffer.get(), capacity, how_.budget);
      ensureStep(counts, merge_.counts(), merge_.outLength(), capacity);
      outcome_.out.insert(outcome_.out.end(), buffer.get(), buffer.get() + merge_.outLength());
      ENSURE((status == Status::output_full) == (merge_.needed() != 0));
      ENSURE(merge_.counts().crc32c == crc32cPortable(buffer.get(), merge_.outLength(), counts.crc32c));
      idle = merge_.counts().packets_read > counts.packets_read || merge_.outLength() != 0 ? 0 : idle + 1;
      ENSURE(idle < 100000);
      outcome_.status = status;
      outcome_.source = merge_.source();
      outcome_.counts = added(before, merge_.counts());
      if (how_.counts_anew) {
        before = outcome_.counts;
        merge_.startCounts();
        ENSURE(merge_.counts().packets_read == 0 && merge_.counts().out_bytes == 0);
      }
      if (status == Status::output_full && merge_.outLength() == 0) wanted = merge_.needed();
      if (!goesOn(status)) return outcome_;
    }
  }

 private:
  bool goesOn(Status status) {
    const uint32_t source = merge_.source();
    switch (status) {
      case Status::budget:
      case Status::output_full:
        return true;
      case Status::need_input:
        feed(source);
        return true;
      case Status::damage:
        ENSURE(merge_.over(source) == parts_[source].cuts.empty());
        outcome_.damage.push_back({source, outcome_.counts.detail_offset, merge_.damageText()});
        return true;
      case Status::alone:
        ++outcome_.alone;
        return !how_.go_on || how_.go_on(merge_);
      case Status::need_next:
        ++outcome_.asked;
        ENSURE(merge_.asked() == source && !merge_.over(source) && !merge_.place(source));
        if (how_.go_on && !how_.go_on(merge_)) return false;
        answer(source);
        ENSURE(merge_.asked() == Merge::kNoSource);
        return true;
      case Status::need_program: {
        auto selection =
            how_.more_programs ? how_.more_programs(static_cast<uint32_t>(outcome_.counts.detail)) : nullptr;
        if (selection) merge_.use(selection);
        return selection != nullptr;
      }
      default:
        return false;
    }
  }

  void feed(uint32_t source) {
    ENSURE(merge_.takesFeed(source));
    const Buffer& bytes = parts_[source].bytes;
    const size_t size = std::min(how_.chunk, bytes.size() - fed_[source]);
    const Exact piece(bytes.data() + fed_[source], size);
    fed_[source] += size;
    merge_.feed(source, piece.bytes(), fed_[source] == bytes.size());
  }

  void answer(uint32_t source) {
    const Cut* cut = next(source);
    if (const auto until = how_.idle ? how_.idle(cut ? cut->idle_until : kNanosMax) : std::nullopt)
      return merge_.idle(*until);
    if (!cut) return merge_.finish();
    ++fed_[source];
    const Buffer& bytes = parts_[source].bytes;
    const uint64_t end = next(source) ? next(source)->offset : bytes.size();
    files_[source]->write(cut->offset, {bytes.data() + cut->offset, end - cut->offset});
    ENSURE(merge_.next(files_[source]->fd(), cut->offset, end, bytesOf(cut->state), std::nullopt, how_.read_bytes));
  }

  const std::vector<Part>& parts_;
  const MergeDrive& how_;
  std::vector<std::unique_ptr<MemoryFile>> files_;
  Merge merge_;
  std::vector<size_t> fed_;  // of a stream bytes, of a lane stretches
  MergeOutcome outcome_;
};

inline MergeOutcome mergeParts(const std::vector<Part>& parts, std::shared_ptr<const Selection> selection,
                               const MergeDrive& how = {}) {
  return MergeRun(parts, std::move(selection), how).run();
}

// Passes packets of an even wire length.
inline std::shared_ptr<const Selection> selectEven(Format format, const std::vector<uint32_t>& link_types,
                                                   std::vector<Window> windows = {}) {
  using namespace cbpf;
  const Insn code[] = {{kLdLen, 0, 0, 0}, {kJsetK, 0, 1, 1}, {kRetK, 0, 0, 0}, {kRetK, 0, 0, 1}};
  Buffer bytes(sizeof code);
  for (size_t i = 0; i < std::size(code); ++i) {
    store16(&bytes[8 * i], code[i].code);
    bytes[8 * i + 2] = code[i].jt;
    bytes[8 * i + 3] = code[i].jf;
    store32(&bytes[8 * i + 4], code[i].k);
  }
  std::vector<Selection::Filter> filters(1);
  std::string why;
  for (const uint32_t link_type : link_types) filters[0].emplace_back(link_type, Program::verify(bytesOf(bytes), &why));
  return std::make_shared<const Selection>(format, 0, std::move(windows), std::move(filters));
}

// A packet and where it came from.
struct Merged {
  uint32_t source;
  Record record;
};

// What a merge gives, by the plainest means: each source read by itself, then always the smallest of the heads.
inline std::vector<Merged> modelOf(const std::vector<Part>& parts) {
  std::vector<std::vector<Record>> sources;
  for (const Part& part : parts)
    sources.push_back(parseRecords(scanStream(part.bytes, SIZE_MAX, selectAll(Format::records)).out));
  std::vector<size_t> at(parts.size());
  std::vector<Merged> merged;
  const auto time = [](const Record& record) {
    return static_cast<Int128>(record.seconds) * kNanosPerSecond + record.nanos;
  };
  for (uint32_t last = Merge::kNoSource;;) {
    uint32_t next = Merge::kNoSource;
    for (uint32_t i = 0; i < parts.size(); ++i) {
      if (at[i] == sources[i].size()) continue;
      const Record& head = sources[i][at[i]];
      // Without a time it follows the one before it, or comes before everything.
      if (!head.has_time && (i == last || at[i] == 0)) {
        next = i;
        break;
      }
      if (next == Merge::kNoSource || time(head) < time(sources[next][at[next]])) next = i;
    }
    if (next == Merge::kNoSource) return merged;
    merged.push_back({next, sources[next][at[next]++]});
    last = next;
  }
}

}  // namespace spillway::test
