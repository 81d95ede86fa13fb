// Where everything leaves as it is, records are read straight into the output: what a stream gives by the other way.
#include "check.h"
#include "drive.h"
#include "random.h"
#include "ranges.h"
#include "samples.h"

namespace spillway::test {
namespace {

struct Case {
  std::string name;
  Buffer bytes;
  Format format;
};

// Packets of one interface, some longer than what is read at once.
Buffer copies(uint64_t seed, bool with_others) {
  const Pcapng ng;
  Random random(seed);
  Buffer file = ng.section() + ng.interface(1, 0, ng.clock(9));
  for (uint64_t i = 0; file.size() < (1u << 20); ++i) {
    const size_t size = random.below(200) == 0 ? 200000 + random.below(400000) : random.below(1500);
    Buffer block = ng.enhanced(0, 1700000000'000000000 + i, payload(size, static_cast<uint8_t>(i)));
    if (with_others && random.below(60) == 0) block = block + ng.block(0xbad, payload(40));
    if (with_others && random.below(200) == 0) block = block + ng.simple(20, payload(20));
    if (with_others && random.below(400) == 0) block = block + ng.section() + ng.interface(1, 0, ng.clock(9));
    file.insert(file.end(), block.begin(), block.end());
  }
  return file;
}

Buffer longRecords(uint64_t seed) {
  Pcap form;
  form.snap = 16u << 20;
  Random random(seed);
  Buffer file = form.header();
  for (uint32_t i = 0; i < 12; ++i) {
    const Buffer record = form.record(i, i, payload(random.below(900000), static_cast<uint8_t>(i)));
    file.insert(file.end(), record.begin(), record.end());
  }
  return file;
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      {"pcap us", largePcap(81, 1 << 20), Format::pcap_us},
      {"pcap ns", largePcap(82, 1 << 20, {false, pcap::kMagicNanos}), Format::pcap_ns},
      {"pcap with long records", longRecords(83), Format::pcap_us},
      {"pcapng", copies(84, false), Format::pcapng_ns},
      {"pcapng with other blocks", copies(85, true), Format::pcapng_ns},
  };
  // Cut in a record, and damaged in the middle.
  for (size_t i = 0, n = all.size(); i < n; ++i) {
    Buffer cut(all[i].bytes.begin(), all[i].bytes.end() - 3);
    all.push_back({all[i].name + ", cut", std::move(cut), all[i].format});
    Buffer damaged = all[i].bytes;
    std::fill_n(damaged.begin() + static_cast<long>(damaged.size() / 2), 5000, 0xff);
    all.push_back({all[i].name + ", damaged", std::move(damaged), all[i].format});
  }
  return all;
}

void checkCopy(const Outcome& got, const Outcome& want) {
  CHECK_EQ(got.status, want.status);
  CHECK(got.out == want.out);
  CHECK_EQ(got.damage, want.damage);
  CHECK_EQ(got.counts.end, want.counts.end);
  CHECK_EQ(got.counts.packets_read, want.counts.packets_read);
  CHECK_EQ(got.counts.packets_out, want.counts.packets_out);
  CHECK_EQ(got.counts.captured_bytes_out, want.counts.captured_bytes_out);
  CHECK_EQ(got.counts.captured_bytes_read, want.counts.captured_bytes_read);
  CHECK_EQ(got.counts.wire_bytes_read, want.counts.wire_bytes_read);
  CHECK_EQ(got.counts.min_time, want.counts.min_time);
  CHECK_EQ(got.counts.max_time, want.counts.max_time);
  CHECK_EQ(got.counts.out_first_time, want.counts.out_first_time);
  CHECK_EQ(got.counts.last_time, want.counts.last_time);
  CHECK_EQ(got.counts.link_type_out, want.counts.link_type_out);
  CHECK_EQ(got.counts.snap_length_out, want.counts.snap_length_out);
  CHECK_EQ(got.counts.crc32c, want.counts.crc32c);
  CHECK(got.state == want.state);
}

}  // namespace

TEST("copies of every budget and capacity") {
  Random random(86);
  for (const Case& one : cases()) {
    CONTEXT(one.name);
    const MemoryFile file(one.bytes);
    const Outcome want = scanStream(one.bytes, 100000, selectAll(one.format));
    CHECK(want.counts.packets_out >= 3);
    for (const size_t capacity : {size_t{4} << 20, size_t{1} << 20, size_t{262144}, size_t{70000}}) {
      Drive how;
      how.capacity = capacity;
      checkCopy(scanFile(file, selectAll(one.format), how), want);
      how.budget = 1 + random.below(300000);
      checkCopy(scanFile(file, selectAll(one.format), how), want);
    }
    for (int round = 0; round < 3; ++round) {
      CONTEXT("round " << round);
      Drive how;
      how.before_step = [&](Scan&) {
        how.budget = 1 + random.below(800000);
        how.capacity = random.below(3) == 0 ? random.below(3000) : random.below(2 << 20);
      };
      checkCopy(scanFile(file, selectAll(one.format), how), want);
    }
  }
}

TEST("copies of ranges") {
  Random random(87);
  for (const Case& one : cases()) {
    CONTEXT(one.name);
    const MemoryFile file(one.bytes);
    const Outcome want = scanStream(one.bytes, 100000, selectAll(one.format));
    for (int round = 0; round < 4; ++round) {
      std::vector<uint64_t> cuts;
      for (uint64_t at = 1 + random.below(500000); at < file.size(); at += 1 + random.below(500000)) cuts.push_back(at);
      Drive how;
      how.capacity = 3 << 20;
      const Ranged got = scanInRanges(
          file, cuts, [&] { return selectAll(one.format); }, how);
      CHECK_EQ(got.last.status, want.status);
      CHECK(got.out == want.out);
      CHECK_EQ(got.last.counts.end, want.counts.end);
    }
  }
}

TEST("a file that shrinks and grows while it is copied gives whole records of one of its states") {
  const Buffer bytes = largePcap(88, 2 << 20);
  for (const size_t step : {1u, 2u, 3u}) {
    MemoryFile file(bytes);
    Drive how;
    how.budget = 300000;
    how.capacity = 1 << 20;
    size_t steps = 0;
    how.before_step = [&](Scan& scan) {
      if (++steps == 1 + step) file.resize(scan.counts().end + 700);
    };
    const Outcome got = scanFile(file, selectAll(Format::pcap_us), how);
    CHECK(got.out.size() + 24 == got.counts.end);
    CHECK(std::equal(got.out.begin(), got.out.end(), bytes.begin() + 24));
    CHECK(got.status == Status::done || got.status == Status::damage);
    CHECK(got.counts.end < bytes.size());
  }
}

}  // namespace spillway::test
