// A scan with block sums: a block that is not what it was gives no packet, all others give theirs, and each bad block
// is told.
#include <cerrno>

#include "blocks.h"
#include "check.h"
#include "index/block.h"
#include "samples.h"

namespace spillway::test {
namespace {

using Bad = std::vector<size_t>;

// Several kinds of steps, one for each number.
Drive drivenBy(size_t number) {
  static constexpr size_t kBudgets[] = {1, 100, 1 << 20};
  static constexpr size_t kCapacities[] = {0, 64, 300, 1 << 20};
  Drive how;
  how.budget = kBudgets[number % 3];
  how.capacity = kCapacities[number / 3 % 4];
  return how;
}

// All packets but those of the bad blocks, from scans in steps of some kind.
void checkAround(const MemoryFile& memory, const Blocked& file, const Bad& bad, const Drive& how) {
  const Around got = scanAround(
      memory, file, [] { return selectAll(Format::records); }, how);
  CHECK(got.bad == bad);
  CHECK(unnumbered(parseRecords(got.out)) == file.packetsWithout(bad));
}

// The same where packets leave in a capture format: what a file without those blocks gives.
void checkWritten(const MemoryFile& memory, const Blocked& file, const Bad& bad, Format format, const Drive& how) {
  Around got;
  Scan scan(selectAll(format));
  CHECK(scan.openRange(memory.fd(), 0, file.bytes.size(), {}, false, 0, file.sums()));
  CHECK_EQ(driveAround(scan, file, how, &got), Status::done);
  const Outcome want = scanFile(MemoryFile(file.without(bad)), selectAll(format), how);
  CHECK(got.bad == bad);
  CHECK(got.out == want.out);
  CHECK(scan.state() == want.state);
  CHECK_EQ(got.counts.end, file.bytes.size());
  got.counts.end = want.counts.end;
  CHECK(sameCounts(got.counts, want.counts));
}

std::vector<Format> formatsOf(const Sample& sample) {
  if (!sample.timed || !sample.one_link_type) return {Format::pcapng_ns};
  return {Format::pcapng_ns, Format::pcapng_us, Format::pcap_us, Format::pcap_ns};
}

}  // namespace

TEST("every byte that is flipped costs its block, and nothing else") {
  for (const Sample& sample : samples()) {
    for (const uint64_t least : {1u, 200u}) {
      const Blocked file = blocked(sample.bytes, least);
      MemoryFile memory(file.bytes);
      for (size_t at = 0; at < file.bytes.size(); ++at) {
        const auto flipped = static_cast<uint8_t>(file.bytes[at] ^ (1 + at % 255));
        memory.write(at, {&flipped, 1});
        const size_t bad = file.blockAt(at);
        CONTEXT(sample.name << ", blocks of " << least << ", byte " << at);
        checkAround(memory, file, {bad}, drivenBy(at));
        const std::vector<Format> formats = formatsOf(sample);
        if (!file.blocks[bad].describes)
          checkWritten(memory, file, {bad}, formats[at % formats.size()], drivenBy(at / 5));
        memory.write(at, {&file.bytes[at], 1});
      }
      checkAround(memory, file, {}, {});
    }
  }
}

TEST("a file that is cut loses the blocks that are not whole") {
  for (const Sample& sample : samples()) {
    const Blocked file = blocked(sample.bytes, 100);
    for (size_t size = 0; size < file.bytes.size(); ++size) {
      const MemoryFile memory(Buffer(file.bytes.begin(), file.bytes.begin() + static_cast<long>(size)));
      Bad bad;
      for (size_t n = 0; n < file.blocks.size(); ++n)
        if (file.blocks[n].end > size) bad.push_back(n);
      CONTEXT(sample.name << ", cut to " << size);
      checkAround(memory, file, bad, drivenBy(size));
    }
  }
}

TEST("several bad blocks, in steps of every kind") {
  Random random(91);
  for (const Sample& sample : samples()) {
    for (int round = 0; round < 60; ++round) {
      const Blocked file = blocked(sample.bytes, 1 + random.below(200));
      Buffer bytes = file.bytes;
      Bad bad;
      for (size_t n = 0; n < file.blocks.size(); ++n) {
        if (random.below(3) != 0) continue;
        bad.push_back(n);
        const BlockSum& block = file.blocks[n];
        bytes[block.start + random.below(block.bytes())] ^= static_cast<uint8_t>(1 + random.below(255));
      }
      CONTEXT(sample.name << ", round " << round << ", " << bad.size() << " of " << file.blocks.size());
      checkAround(MemoryFile(bytes), file, bad, drivenBy(static_cast<size_t>(round)));
    }
  }
}

TEST("a bad block with the file's header ends the scan") {
  for (const Sample& sample : samples()) {
    CONTEXT(sample.name);
    const Blocked file = blocked(sample.bytes, 100);
    Buffer bytes = file.bytes;
    bytes[0] ^= 1;
    const MemoryFile memory(bytes);
    Scan scan(selectAll(Format::records));
    CHECK(scan.openRange(memory.fd(), 0, bytes.size(), {}, false, 0, file.sums()));
    CHECK_EQ(drive(scan, {}).status, Status::bad_block);
    CHECK_EQ(scan.counts().detail_offset, 0u);
    CHECK_EQ(scan.counts().end, file.blocks[0].end);
    for (int again = 0; again < 2; ++again) {
      const Outcome over = drive(scan, {});
      CHECK_EQ(over.status, Status::done);
      CHECK_EQ(over.counts.packets_read, 0u);
      CHECK_EQ(over.counts.end, file.blocks[0].end);
      CHECK(over.state.empty());
    }
    CHECK(!scan.moveTo(file.blocks[1].start, bytes.size(), bytesOf(file.states[1])));
    CHECK(!scan.moveTo(0, bytes.size(), {}));
  }
}

TEST("nothing behind a bad block that describes is read, also where it could be copied") {
  const Pcapng ng;
  const Buffer head = ng.section() + ng.interface(1, 0, ng.clock(9));
  Buffer packets;
  for (uint8_t n = 0; n < 20; ++n) packets = packets + ng.enhanced(0, n, payload(50, n));
  const Blocked file = blocked(head + packets + ng.interface(1, 0, ng.clock(9)) + packets, 300);
  const size_t bad = file.blockAt(head.size() + packets.size());
  CHECK(bad > 1 && file.blocks[bad].describes && bad + 2 < file.blocks.size());
  Buffer bytes = file.bytes;
  bytes[file.blocks[bad].start] ^= 1;
  const MemoryFile memory(bytes);
  const Buffer good(file.bytes.begin(), file.bytes.begin() + static_cast<long>(file.blocks[bad].start));
  for (const Format format : {Format::pcapng_ns, Format::pcap_us}) {
    for (size_t kind = 0; kind < 12; ++kind) {
      CONTEXT("format " << static_cast<int>(format) << ", steps " << kind);
      Scan scan(selectAll(format));
      CHECK(scan.openRange(memory.fd(), 0, bytes.size(), {}, false, 0, file.sums()));
      Around got;
      CHECK_EQ(driveAround(scan, file, drivenBy(kind), &got), Status::done);
      CHECK(got.bad == Bad{bad});
      CHECK(got.out == scanFile(MemoryFile(good), selectAll(format)).out);
      CHECK_EQ(got.counts.end, file.blocks[bad].end);
      CHECK(!scan.moveTo(got.counts.end, bytes.size(), bytesOf(scan.state())));
    }
  }
}

TEST("a bad first block is left out by a scan that began behind the file's header") {
  for (const Sample& sample : samples()) {
    const Blocked file = blocked(sample.bytes, 250);
    const std::vector<Cut> cuts = cutsOf(sample.bytes);
    size_t left_out = 0;
    for (const Cut& cut : cuts) {
      if (cut.offset == 0 || cut.offset >= file.blocks[0].end) continue;
      Buffer bytes = file.bytes;
      bytes[cut.offset] ^= 1;
      const MemoryFile memory(bytes);
      Scan scan(selectAll(Format::records));
      CHECK(scan.openRange(memory.fd(), cut.offset, bytes.size(), bytesOf(cut.state), false, 0, file.sums()));
      Around got;
      CHECK_EQ(driveAround(scan, file, {}, &got), Status::done);
      CHECK(got.bad == Bad{0});
      const bool same = cut.state == file.states[1];
      left_out += same;
      CONTEXT(sample.name << ", from " << cut.offset);
      if (same) CHECK(unnumbered(parseRecords(got.out)) == file.packetsWithout({0}));
      else CHECK_EQ(got.counts.end, file.blocks[0].end);
    }
    CHECK(left_out != 0 || !sample.one_link_type);
    // Where the state behind it is not told, nothing follows.
    std::string why;
    Scan scan(selectAll(Format::records));
    Buffer bytes = file.bytes;
    bytes[0] ^= 1;
    const MemoryFile memory(bytes);
    const Cut& last =
        *std::find_if(cuts.rbegin(), cuts.rend(), [&](const Cut& cut) { return cut.offset < file.blocks[0].end; });
    CHECK(scan.openRange(memory.fd(), last.offset, bytes.size(), bytesOf(last.state), false, 0,
                         BlockSums::of(file.blocks, &why)));
    Around got;
    CHECK_EQ(driveAround(scan, file, {}, &got), Status::done);
    CHECK_EQ(got.counts.end, file.blocks[0].end);
  }
}

TEST("a range may begin and end inside blocks") {
  for (const Sample& sample : samples()) {
    const Blocked file = blocked(sample.bytes, 150);
    const Blocked record = blocked(sample.bytes, 1);  // one in each block
    const auto sums = file.sums();
    for (size_t bad = 0; bad < file.blocks.size(); ++bad) {
      const BlockSum& block = file.blocks[bad];
      Buffer bytes = file.bytes;
      bytes[block.end - 1] ^= 1;
      const MemoryFile memory(bytes);
      for (size_t first = 1; first < record.blocks.size(); ++first) {
        const uint64_t start = record.blocks[first].start;
        for (uint64_t end = start; end <= file.bytes.size(); end += 1 + end % 23) {
          const bool touched = start < end && start < block.end && end > block.start;
          const bool over = !file.canLeaveOut(bad, record.states[first]);
          std::vector<Record> want;
          for (size_t n = first; n < record.blocks.size() && record.blocks[n].start < end; ++n) {
            if (touched && record.blocks[n].start >= block.start && (over || record.blocks[n].start < block.end))
              continue;
            want.insert(want.end(), record.packets[n].begin(), record.packets[n].end());
          }
          CONTEXT(sample.name << ", bad " << bad << ", [" << start << ", " << end << ")");
          Scan scan(selectAll(Format::records));
          CHECK(
              scan.openRange(memory.fd(), start, end, bytesOf(record.states[first]), false, record.bases[first], sums));
          Around got;
          CHECK_EQ(driveAround(scan, file, drivenBy(end), &got), Status::done);
          CHECK(got.bad == (touched ? Bad{bad} : Bad{}));
          CHECK(unnumbered(parseRecords(got.out)) == want);
        }
      }
    }
  }
}

TEST("limits count over bad blocks") {
  for (const Sample& sample : samples()) {
    const Blocked file = blocked(sample.bytes, 100);
    for (size_t bad = 1; bad < file.blocks.size(); ++bad) {
      if (file.blocks[bad].describes) continue;
      Buffer bytes = file.bytes;
      bytes[file.blocks[bad].start] ^= 0x80;
      const MemoryFile memory(bytes);
      const auto all = file.packetsWithout({bad});
      for (size_t packets = 0; packets <= all.size(); ++packets) {
        CONTEXT(sample.name << ", bad " << bad << ", " << packets << " packets");
        Drive how = drivenBy(packets);
        how.limits.packets = packets;
        Scan scan(selectAll(Format::records));
        CHECK(scan.openRange(memory.fd(), 0, bytes.size(), {}, false, 0, file.sums()));
        Around got;
        const Status status = driveAround(scan, file, how, &got);
        CHECK_EQ(status, packets == all.size() && packets == 0 ? Status::done : Status::limit);
        CHECK(unnumbered(parseRecords(got.out)) ==
              std::vector<Record>(all.begin(), all.begin() + static_cast<long>(packets)));
        CHECK(got.bad.size() <= 1);
      }
    }
  }
}

TEST("other ranges of the file keep the sums") {
  for (const Sample& sample : samples()) {
    const Blocked file = blocked(sample.bytes, 60);
    const auto sums = file.sums();
    for (size_t bad = 0; bad < file.blocks.size(); ++bad) {
      Buffer bytes = file.bytes;
      bytes[file.blocks[bad].start] ^= 0x11;
      const MemoryFile memory(bytes);
      // Every second block, by one scan as far as that goes.
      CONTEXT(sample.name << ", bad " << bad);
      std::unique_ptr<Scan> scan;
      Around got;
      std::vector<Record> want;
      for (size_t n = bad % 2; n < file.blocks.size(); n += 2) {
        const BlockSum& block = file.blocks[n];
        const bool moved = scan && scan->moveTo(block.start, block.end, bytesOf(file.states[n]));
        if (scan && n - 2 == bad && !file.canLeaveOut(bad, {})) CHECK(!moved);
        if (!moved) {
          scan = std::make_unique<Scan>(selectAll(Format::records));
          CHECK(scan->openRange(memory.fd(), block.start, block.end, bytesOf(file.states[n]), false, file.bases[n],
                                sums));
        }
        CHECK_EQ(driveAround(*scan, file, drivenBy(n), &got), Status::done);
        CHECK_EQ(got.counts.end, block.end);
        if (n != bad) want.insert(want.end(), file.packets[n].begin(), file.packets[n].end());
      }
      CHECK(got.bad == Bad{bad});
      // A scan that moves on knows nothing of sections in between.
      const auto same = [](const Record& a, const Record& b) { return a.data == b.data && a.nanos == b.nanos; };
      const auto records = parseRecords(got.out);
      CHECK(std::equal(records.begin(), records.end(), want.begin(), want.end(), same));
    }
  }
}

TEST("large files in blocks of the index, copied, shaped and counted") {
  Random random(92);
  const Pcap form;
  Buffer long_records = Pcap{false, pcap::kMagicMicros, 2, 4, 1u << 20}.header();
  for (uint32_t i = 0; i < 8; ++i)
    long_records = long_records + form.record(i, i, payload(random.below(700000), static_cast<uint8_t>(i)));
  for (const Buffer& bytes :
       {largePcap(93, 1 << 20), largePcapng(94, 1 << 20), largePcapng(95, 1 << 20, {true}), long_records}) {
    const Blocked file = blocked(bytes, kBlockBytes);
    for (int round = 0; round < 12; ++round) {
      Bad bad;
      Buffer broken = bytes;
      for (size_t n = 1; n < file.blocks.size(); ++n) {
        if (random.below(4) != 0 || file.blocks[n].describes) continue;
        bad.push_back(n);
        broken[file.blocks[n].start + random.below(file.blocks[n].bytes())] ^= 4;
      }
      const MemoryFile memory(broken);
      Drive how;
      how.budget = 1 + random.below(400000);
      how.capacity = 1 + random.below(400000);
      for (const Format format : {Format::none, Format::pcap_us, Format::pcapng_ns}) {
        CONTEXT(bytes.size() << " bytes, round " << round << ", format " << static_cast<int>(format));
        checkWritten(memory, file, bad, format, how);
      }
    }
  }
}

TEST("a file that can't be read is no bad block") {
  const Blocked file = blocked(samples()[0].bytes, 100);
  Scan scan(selectAll(Format::pcap_us));
  CHECK(scan.openRange(1'000'000, 0, file.bytes.size(), {}, false, 0, file.sums()));
  CHECK_EQ(drive(scan, {}).status, Status::io_error);
  CHECK_EQ(scan.counts().detail, EBADF);
}

TEST("opened again without sums there are none") {
  const Blocked file = blocked(samples()[0].bytes, 100);
  Buffer bytes = file.bytes;
  bytes.back() ^= 1;
  const MemoryFile memory(bytes);
  Scan scan(selectAll(Format::records));
  CHECK(scan.openRange(memory.fd(), 0, bytes.size(), {}, false, 0, file.sums()));
  CHECK_EQ(drive(scan, {}).status, Status::bad_block);
  CHECK(scan.openRange(memory.fd(), 0, bytes.size(), {}, false, 0));
  CHECK(scan.sums() == nullptr);
  const Outcome plain = drive(scan, {});
  CHECK_EQ(plain.status, Status::done);
  CHECK_EQ(plain.counts.packets_read, 12u);
}

}  // namespace spillway::test
