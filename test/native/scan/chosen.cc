// Packets chosen by their numbers in a time range: what lets them through, and what counts.
#include "check.h"
#include "drive.h"
#include "merging.h"
#include "random.h"
#include "samples.h"

namespace spillway::test {
namespace {

// Packet i has the time `i` seconds, but for those that step back, and a few bytes.
Buffer packetsAt(const std::vector<uint32_t>& seconds) {
  const Pcap form;
  Buffer file = form.header();
  for (const uint32_t second : seconds) file = file + form.record(second, 0, payload(2 + second % 5));
  return file;
}

Nanos at(Nanos second) { return second * kNanosPerSecond; }

std::shared_ptr<const Selection> choosing(Format format, std::vector<Window> windows, Chosen chosen) {
  return std::make_shared<const Selection>(format, 0, std::move(windows), std::vector<Selection::Filter>{},
                                           std::string{}, std::move(chosen));
}

Chosen numbers(std::vector<Window> range, std::initializer_list<size_t> wanted) {
  Chosen chosen{std::move(range), Buffer(2)};
  for (const size_t number : wanted) chosen.bits[number / 8] |= static_cast<uint8_t>(1 << number % 8);
  return chosen;
}

std::string numbersOf(const Buffer& out) {
  std::string text;
  for (const Record& record : parseRecords(out)) text += std::to_string(record.number) + " ";
  return text;
}

}  // namespace

TEST("those with a bit pass, counted from the first packet of the range") {
  const MemoryFile file(packetsAt({1, 2, 3, 9, 4, 5, 6, 7}));
  const struct {
    std::vector<Window> windows, range;
    std::string out;
    uint64_t numbered, in_windows;
  } cases[] = {
      {{}, {}, "1 3 8 ", 8, 8},
      {{}, {{at(2), at(7)}}, "2 5 ", 5, 8},  // 9 is outside and has no number
      {{{at(3), at(4)}}, {}, "3 ", 8, 1},
      {{{at(3), at(8)}}, {{at(2), at(8)}}, "5 ", 6, 5},
      {{}, {{at(2), kNanosMax}}, "2 4 ", 7, 8},
      {{}, {{at(20), at(30)}}, "", 0, 8},
  };
  for (const auto& one : cases)
    for (const size_t capacity : {60, 8192}) {
      CONTEXT("out " << one.out << ", capacity " << capacity);
      Drive how;
      how.capacity = capacity;  // a packet that does not fit is offered again
      how.budget = 20;
      const Outcome got = scanFile(file, choosing(Format::records, one.windows, numbers(one.range, {0, 2, 7})), how);
      CHECK_EQ(numbersOf(got.out), one.out);
      CHECK_EQ(got.counts.numbered, one.numbered);
      CHECK_EQ(got.counts.packets_in_windows, one.in_windows);
      CHECK_EQ(got.counts.packets_read, 8u);
    }
}

TEST("nothing is chosen behind the bits") {
  const MemoryFile file(packetsAt(std::vector<uint32_t>(40, 1)));
  CHECK_EQ(scanFile(file, choosing(Format::records, {}, {{}, {}})).counts.packets_out, 0u);
  CHECK_EQ(scanFile(file, choosing(Format::records, {}, {{}, {0xff}})).counts.packets_out, 8u);
}

TEST("a packet without a time has a number only where every time has") {
  const Pcapng ng;
  const MemoryFile file(ng.section() + ng.interface(1, 0, ng.clock(0)) + ng.enhanced(0, 3, payload(2)) +
                        ng.simple(2, payload(2)) + ng.enhanced(0, 5, payload(2)));
  CHECK_EQ(numbersOf(scanFile(file, choosing(Format::records, {}, numbers({}, {1}))).out), "2 ");
  CHECK_EQ(numbersOf(scanFile(file, choosing(Format::records, {}, numbers({{at(0), at(9)}}, {1}))).out), "3 ");
}

TEST("records that could be copied as they are, are not") {
  const MemoryFile file(packetsAt(std::vector<uint32_t>(16, 1)));
  const Outcome all = scanFile(file, selectAll(Format::pcap_us));
  const Outcome some = scanFile(file, choosing(Format::pcap_us, {}, numbers({}, {0, 15})));
  CHECK_EQ(all.counts.packets_out, 16u);
  CHECK_EQ(some.counts.packets_out, 2u);
  CHECK_EQ(some.out.size(), all.out.size() / 8);
}

TEST("a scan is told the number that it begins with, and a rule that holds a packet back leaves its number") {
  const MemoryFile file(packetsAt({1, 2, 3, 4, 5, 6}));
  const auto selection = choosing(Format::records, {}, numbers({}, {3, 5}));
  Scan scan(selection);
  ENSURE(scan.openRange(file.fd(), 0, file.size(), {}, false, 0));
  scan.numberFrom(2);
  CHECK_EQ(numbersOf(drive(scan, {}).out), "2 4 ");
  Drive how;
  how.limits.captured_bytes = 6;  // of packet 4, and not of packet 6
  const Outcome got = scanFile(file, selection, how);
  CHECK_EQ(got.status, Status::limit);
  CHECK_EQ(numbersOf(got.out), "4 ");
  CHECK_EQ(got.counts.numbered, 5u);
}

TEST("a merge numbers the packets of all its sources in their order") {
  const auto times = [](std::initializer_list<uint32_t> seconds) { return packetsAt(seconds); };
  const std::vector<Part> parts = {{times({1, 4, 5, 9})}, {times({2, 3, 8}), true}, {times({3, 6})}};
  Random random(7);
  const Buffer all = mergeParts(parts, selectAll(Format::records)).out;
  const std::vector<Record> records = parseRecords(all);
  for (int round = 0; round < 200; ++round) {
    const Nanos start = at(static_cast<Nanos>(random.below(6)));
    const Window range{start, start + at(static_cast<Nanos>(random.below(6)))};
    const Chosen chosen{{range}, random.bytes(2)};
    Buffer wanted;
    uint64_t number = 0;
    size_t place = 0;
    for (const Record& record : records) {
      const size_t size = 48 + record.caplen;
      const bool in = range.start <= at(record.seconds) && at(record.seconds) < range.end;
      if (in && chosen.has(number++)) wanted.insert(wanted.end(), &all[place], &all[place] + size);
      place += size;
    }
    MergeDrive how;
    how.capacity = 60;
    how.counts_anew = round % 2 == 0;
    const MergeOutcome got = mergeParts(parts, choosing(Format::records, {}, chosen), how);
    CHECK(got.out == wanted);
    if (!how.counts_anew) CHECK_EQ(got.counts.numbered, number);
  }
}

}  // namespace spillway::test
