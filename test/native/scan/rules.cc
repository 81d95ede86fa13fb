// What stops a scan: limits, programs that are missing, link types and times that the output can't hold.
#include "check.h"
#include "drive.h"
#include "filter/cbpf.h"
#include "samples.h"

namespace spillway::test {
namespace {

using namespace cbpf;

std::unique_ptr<const Program> program(std::initializer_list<Insn> code) {
  Buffer bytes(code.size() * 8);
  size_t i = 0;
  for (const Insn& insn : code) {
    store16(&bytes[i], insn.code);
    bytes[i + 2] = insn.jt;
    bytes[i + 3] = insn.jf;
    store32(&bytes[i + 4], insn.k);
    i += 8;
  }
  std::string why;
  return Program::verify(bytesOf(bytes), &why);
}

// Passes packets of an even wire length.
std::unique_ptr<const Program> even() {
  return program({{kLdLen, 0, 0, 0}, {kJsetK, 0, 1, 1}, {kRetK, 0, 0, 0}, {kRetK, 0, 0, 1}});
}

std::shared_ptr<const Selection> selectTimes(Format format, std::vector<Window> windows) {
  return std::make_shared<const Selection>(format, 0, std::move(windows), std::vector<Selection::Filter>{});
}

std::shared_ptr<const Selection> selectEven(Format format, std::vector<uint32_t> link_types,
                                            std::vector<Window> windows = {}) {
  std::vector<Selection::Filter> filters(1);
  for (const uint32_t link_type : link_types) filters[0].emplace_back(link_type, even());
  return std::make_shared<const Selection>(format, 0, std::move(windows), std::move(filters));
}

// Packet i has the time `i` seconds and i bytes.
Buffer counting(uint32_t packets) {
  const Pcap form;
  Buffer file = form.header();
  for (uint32_t i = 0; i < packets; ++i) file = file + form.record(i, 0, payload(i));
  return file;
}

Buffer mixed() {
  const Pcapng ng;
  return ng.section() + ng.interface(1) + ng.interface(113) + ng.enhanced(0, 1, payload(2)) +
         ng.enhanced(1, 2, payload(3)) + ng.enhanced(1, 3, payload(4)) + ng.enhanced(0, 4, payload(6));
}

}  // namespace

TEST("packets: stops right behind the last one, and tells") {
  const MemoryFile file(counting(10));
  for (uint64_t packets = 0; packets <= 12; ++packets) {
    CONTEXT(packets << " packets");
    Drive how;
    how.limits.packets = packets;
    const Outcome got = scanFile(file, selectAll(Format::records), how);
    CHECK_EQ(got.counts.packets_out, std::min<uint64_t>(packets, 10));
    CHECK_EQ(got.status, packets <= 10 ? Status::limit : Status::done);
    if (packets <= 10) CHECK_EQ(got.counts.detail, 1);
    CHECK_EQ(got.counts.packets_read, got.counts.packets_out);
    uint64_t end = 24;
    for (uint64_t i = 0; i < std::min<uint64_t>(packets, 10); ++i) end += 16 + i;
    CHECK_EQ(got.counts.end, end);
  }
}

TEST("bytes: stops before the packet that would pass them, and counts what is kept") {
  const MemoryFile file(counting(10));
  for (uint64_t bytes = 0; bytes < 50; ++bytes) {
    for (const uint32_t snap : {0u, 3u}) {
      CONTEXT(bytes << " bytes, snap " << snap);
      Drive how;
      how.limits.captured_bytes = bytes;
      const Outcome got = scanFile(file, selectAll(Format::records, snap), how);
      uint64_t sum = 0, packets = 0;
      const auto keep = [&](uint64_t i) { return snap != 0 ? std::min<uint64_t>(i, snap) : i; };
      while (packets < 10 && sum + keep(packets) <= bytes) sum += keep(packets++);
      CHECK_EQ(got.counts.packets_out, packets);
      CHECK_EQ(got.counts.captured_bytes_out, sum);
      CHECK_EQ(got.status, packets == 10 ? Status::done : Status::limit);
      if (packets < 10) CHECK_EQ(got.counts.detail, 2);
    }
  }
}

TEST("duration: from the first packet written, or from the time given") {
  const MemoryFile file(counting(10));
  const int64_t second = kNanosPerSecond;
  const struct {
    int64_t duration;
    std::optional<Nanos> first;
    uint64_t packets;
  } cases[] = {{1, {}, 1},
               {second, {}, 1},
               {second + 1, {}, 2},
               {9 * second, {}, 9},
               {9 * second + 1, {}, 10},
               {1, 5 * second, 6},
               {second, 5 * second, 6},
               {1, -5 * second, 0},
               {INT64_MAX, kNanosMin, 0},
               {INT64_MAX, kNanosMin + 1, 0},
               {INT64_MAX, kNanosMin + 2, 1},
               {INT64_MAX, {}, 10},
               {1, kNanosMax, 10}};
  for (const auto& one : cases) {
    CONTEXT("duration " << one.duration << " from " << one.first.value_or(-1));
    Drive how;
    how.limits.duration = one.duration;
    how.limits.first_time = one.first;
    const Outcome got = scanFile(file, selectAll(Format::records), how);
    CHECK_EQ(got.counts.packets_out, one.packets);
    CHECK_EQ(got.status, one.packets == 10 ? Status::done : Status::limit);
    if (one.packets < 10) CHECK_EQ(got.counts.detail, 3);
  }
}

TEST("limits count what is written, not what is read") {
  const MemoryFile file(counting(10));
  Drive how;
  how.limits.packets = 2;
  const Outcome got = scanFile(file, selectEven(Format::records, {1}, {{3 * kNanosPerSecond, kNanosMax}}), how);
  const auto records = parseRecords(got.out);
  CHECK_EQ(records.size(), 2u);
  CHECK_EQ(records.at(0).caplen, 4u);
  CHECK_EQ(records.at(1).caplen, 6u);
  CHECK_EQ(got.counts.packets_read, 7u);
  CHECK_EQ(got.counts.packets_in_windows, 4u);
  CHECK_EQ(got.status, Status::limit);
}

TEST("windows: no stop at the first late packet, and none without a time") {
  const Pcapng ng;
  const MemoryFile file(ng.section() + ng.interface(1) + ng.enhanced(0, 1, payload(1)) +
                        ng.enhanced(0, 100, payload(2)) + ng.enhanced(0, 5, payload(3)) + ng.simple(4, payload(4)) +
                        ng.enhanced(0, 9, payload(5)));
  const Outcome got = scanFile(file, selectTimes(Format::records, {{1000, 2000}, {5000, 9000}}));
  const auto records = parseRecords(got.out);
  CHECK_EQ(records.size(), 2u);
  CHECK_EQ(records.at(0).number, 1u);
  CHECK_EQ(records.at(1).number, 3u);
  CHECK_EQ(got.counts.packets_read, 5u);
  CHECK_EQ(got.counts.packets_without_time, 1u);
  CHECK_EQ(got.counts.min_time, 1000);
  CHECK_EQ(got.counts.max_time, 100000);
  CHECK_EQ(got.counts.out_max_time, 5000);
  CHECK_EQ(got.counts.out_first_time, 1000);
  CHECK_EQ(got.counts.last_time, 9000);
  CHECK_EQ(scanFile(file, selectTimes(Format::records, {{kNanosMin, kNanosMax}})).counts.packets_out, 4u);
  CHECK_EQ(scanFile(file, selectAll(Format::records)).counts.packets_out, 5u);
}

TEST("a missing program stops before the packet, and the scan goes on with another selection") {
  const MemoryFile file(mixed());
  const Outcome stopped = scanFile(file, selectEven(Format::records, {1}));
  CHECK_EQ(stopped.status, Status::need_program);
  CHECK_EQ(stopped.counts.detail, 113);
  CHECK_EQ(stopped.counts.packets_read, 1u);
  CHECK_EQ(stopped.counts.end, stopped.counts.detail_offset);
  Drive how;
  std::vector<uint32_t> known;
  how.more_programs = [&](uint32_t link_type) {
    known.push_back(link_type);
    return selectEven(Format::records, known);
  };
  const Outcome got = scanFile(file, selectEven(Format::records, {}), how);
  CHECK(known == (std::vector<uint32_t>{1, 113}));
  CHECK_EQ(got.status, Status::done);
  CHECK_EQ(got.counts.packets_out, 3u);
  CHECK(got.out == scanFile(file, selectEven(Format::records, {113, 1})).out);
  // Outside the windows no program is asked for.
  CHECK_EQ(scanFile(file, selectEven(Format::records, {1}, {{1000, 2000}, {4000, 5000}})).status, Status::done);
}

TEST("PCAP holds one link type: of the packets that would be written") {
  const MemoryFile file(mixed());
  const Outcome got = scanFile(file, selectAll(Format::pcap_us));
  CHECK_EQ(got.status, Status::mixed_link_types);
  CHECK_EQ(got.counts.detail, 113);
  CHECK_EQ(got.counts.packets_out, 1u);
  CHECK_EQ(got.counts.link_type_out, 1);
  const Outcome one = scanFile(file, selectTimes(Format::pcap_us, {{2000, 4000}}));
  CHECK_EQ(one.status, Status::done);
  CHECK_EQ(one.counts.link_type_out, 113);
  CHECK_EQ(one.counts.packets_out, 2u);
  CHECK_EQ(scanFile(file, selectAll(Format::pcapng_us)).counts.packets_out, 4u);
}

TEST("times that the output can't hold stop before the packet") {
  const Pcapng ng;
  const Buffer early = ng.section() + ng.interface(1, 0, ng.clock(6, -10));
  const MemoryFile before_1970(early + ng.enhanced(0, 20'000'000, payload(1)) + ng.enhanced(0, 5'000'000, payload(2)));
  for (const Format format : {Format::pcap_us, Format::pcap_ns}) {
    const Outcome got = scanFile(before_1970, selectAll(format));
    CHECK_EQ(got.status, Status::time_range);
    CHECK_EQ(got.counts.packets_out, 1u);
    CHECK_EQ(got.counts.end, got.counts.detail_offset);
  }
  for (const Format format : {Format::pcapng_us, Format::pcapng_ns, Format::records})
    CHECK_EQ(scanFile(before_1970, selectAll(format)).status, Status::done);
  const MemoryFile late(ng.section() + ng.interface(1) + ng.enhanced(0, 4294967295'999999, payload(1)) +
                        ng.enhanced(0, 4294967296'000000, payload(1)));
  const Outcome got = scanFile(late, selectAll(Format::pcap_us));
  CHECK_EQ(got.status, Status::time_range);
  CHECK_EQ(got.counts.packets_out, 1u);
  CHECK_EQ(load32(got.out.data()), 0xffffffffu);
}

}  // namespace spillway::test
