// Files in blocks of whole records, with sums; and reading around the blocks that are bad, as whoever has an index
// does.
#pragma once
#include <algorithm>

#include "base/crc32c.h"
#include "drive.h"
#include "lanes.h"

namespace spillway::test {

struct Blocked {
  Buffer bytes;
  std::vector<BlockSum> blocks;
  // Of each block: the reader's state at its start, the number in the output of its section's first interface, and its
  // packets, as a scan of the whole file gives them but for their numbers.
  std::vector<Buffer> states;
  std::vector<uint32_t> bases;
  std::vector<std::vector<Record>> packets;

  std::shared_ptr<const BlockSums> sums() const {
    std::string why;
    auto sums = BlockSums::of(blocks, &why, blocks.size() > 1 ? states[1] : Buffer{});
    ENSURE(sums);
    return sums;
  }
  // A scan that began in this state knows how to go on behind the block when it is bad.
  bool canLeaveOut(size_t block, const Buffer& state) const {
    return blocks[block].start == 0 ? blocks.size() > 1 && state == states[1] : !blocks[block].describes;
  }
  size_t blockAt(uint64_t offset) const {
    size_t n = 0;
    while (blocks[n].end <= offset) ++n;
    return n;
  }
  Buffer without(const std::vector<size_t>& bad) const {
    Buffer rest;
    for (size_t n = 0; n < blocks.size(); ++n)
      if (std::find(bad.begin(), bad.end(), n) == bad.end())
        rest.insert(rest.end(), bytes.begin() + static_cast<long>(blocks[n].start),
                    bytes.begin() + static_cast<long>(blocks[n].end));
    return rest;
  }
  // The packets of all blocks but these.
  std::vector<Record> packetsWithout(const std::vector<size_t>& bad) const {
    std::vector<Record> all;
    for (size_t n = 0; n < blocks.size(); ++n)
      if (std::find(bad.begin(), bad.end(), n) == bad.end())
        all.insert(all.end(), packets[n].begin(), packets[n].end());
    return all;
  }
};

inline std::vector<Record> unnumbered(std::vector<Record> records) {
  for (Record& record : records) record.number = 0;
  return records;
}

inline bool describesAt(const Buffer& bytes, const Cut& cut) {
  SourceReader reader;
  if (cut.state.empty()) return true;
  ENSURE(reader.restore(bytesOf(cut.state)));
  const uint32_t type = reader.pcap ? 0 : reader.pcapng.order().u32(bytes.data() + cut.offset);
  return type == pcapng::kSectionHeader || (!reader.pcap && type == pcapng::kInterfaceDescription);
}

// Ends a block with the first record that brings it to `least` bytes.
inline Blocked blocked(const Buffer& bytes, uint64_t least) {
  Blocked file;
  file.bytes = bytes;
  const std::vector<Cut> cuts = cutsOf(bytes);
  ENSURE(cuts.back().offset == bytes.size());
  const MemoryFile memory(bytes);
  Scan scan(selectAll(Format::records));
  uint32_t base = 0;
  bool describes = false;
  for (size_t n = 0, first = 0; n + 1 < cuts.size(); ++n) {
    describes |= describesAt(bytes, cuts[n]);
    const uint64_t start = cuts[first].offset, end = cuts[n + 1].offset;
    if (end - start < least && end != bytes.size()) continue;
    file.blocks.push_back({start, end, crc32c(bytes.data() + start, end - start), describes});
    file.states.push_back(cuts[first].state);
    file.bases.push_back(base);
    ENSURE(scan.openRange(memory.fd(), start, end, bytesOf(cuts[first].state), false, base));
    const Outcome outcome = drive(scan, {});
    ENSURE(outcome.status == Status::done);
    file.packets.push_back(unnumbered(parseRecords(outcome.out)));
    base = static_cast<uint32_t>(outcome.counts.section_base);
    describes = false;
    first = n + 1;
  }
  return file;
}

struct Around {
  Buffer out;
  std::vector<size_t> bad;
  Counts counts;  // of the last scan
  size_t scans = 1;
};

// Goes on with an open scan over bad blocks, until it ends otherwise; the limits go on, too.
inline Status driveAround(Scan& scan, const Blocked& file, Drive how, Around* around) {
  Counts before = scan.counts();
  for (;;) {
    const Outcome outcome = drive(scan, how);
    around->out = around->out + outcome.out;
    around->counts = outcome.counts;
    if (how.limits.packets) *how.limits.packets -= outcome.counts.packets_out - before.packets_out;
    if (how.limits.captured_bytes)
      *how.limits.captured_bytes -= outcome.counts.captured_bytes_out - before.captured_bytes_out;
    before = outcome.counts;
    if (outcome.status != Status::bad_block) return outcome.status;
    const size_t bad = file.blockAt(outcome.counts.detail_offset);
    ENSURE(file.blocks[bad].start == outcome.counts.detail_offset);
    ENSURE(file.blocks[bad].bytes() == static_cast<uint64_t>(outcome.counts.detail));
    ENSURE(file.blocks[bad].end == outcome.counts.end);
    around->bad.push_back(bad);
  }
}

// Scans the whole file. Where the scan is over because a block that describes is bad, another goes on behind it with
// the state that the next block has.
inline Around scanAround(const MemoryFile& memory, const Blocked& file,
                         const std::function<std::shared_ptr<const Selection>()>& selection, const Drive& how) {
  Around around;
  const auto sums = file.sums();
  for (size_t n = 0; n < file.blocks.size();) {
    Scan scan(selection());
    ENSURE(scan.openRange(memory.fd(), file.blocks[n].start, file.bytes.size(), bytesOf(file.states[n]), false,
                          file.bases[n], sums));
    ENSURE(driveAround(scan, file, how, &around) == Status::done);
    const uint64_t end = around.counts.end;
    if (end == file.bytes.size()) break;
    ENSURE(!around.bad.empty() && file.blocks[around.bad.back()].end == end);
    ENSURE(file.blocks[around.bad.back()].describes);
    n = around.bad.back() + 1;
    ++around.scans;
  }
  return around;
}

}  // namespace spillway::test
