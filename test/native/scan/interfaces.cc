// Sections and interfaces: their numbers in the output, their options, their names, and what was lost on them.
#include "check.h"
#include "drive.h"
#include "samples.h"

namespace spillway::test {

TEST("interfaces of all sections are numbered through") {
  const Pcapng little, big{true};
  const Buffer file = little.section() + little.interface(1) + little.interface(2) + little.enhanced(1, 1, payload(1)) +
                      big.section() + big.interface(3, 0, big.option(2, {'b'}) + big.clock(9)) +
                      big.enhanced(0, 2000, payload(2)) + big.interface(4) + big.enhanced(1, 3, payload(3));
  for (const uint32_t base : {0u, 5u}) {
    CONTEXT("base " << base);
    Drive how;
    how.interface_base = base;
    const Outcome got = scanFile(MemoryFile(file), selectAll(Format::pcapng_us), how);
    CHECK_EQ(got.status, Status::done);
    const Buffer us = little.clock(6);
    CHECK_EQ(got.out,
             little.interface(1, 0, us) + little.interface(2, 0, us) + little.enhanced(base + 1, 1, payload(1)) +
                 little.interface(3, 0, little.option(2, {'b'}) + us) + little.enhanced(base + 2, 2, payload(2)) +
                 little.interface(4, 0, us) + little.enhanced(base + 3, 3, payload(3)));
    CHECK_EQ(got.counts.interface_count, base + 4);
    CHECK_EQ(got.counts.section_base, base + 2);
  }
}

TEST("what is kept of a section, an interface and a packet") {
  const Pcapng big{true};
  const Pcapng little;
  const auto options = [](const Pcapng& ng) {
    return ng.option(1, {'c', 'o', 'm'}) + ng.option(2988, Put(ng.big).u32(32473).raw({'v'}).out);
  };
  const Buffer file =
      big.section(options(big) + big.end()) +
      big.interface(1, 0, options(big) + big.option(8, Put(true).u64(1000000000).out) + big.clock(3, 7)) +
      big.enhanced(0, 5000, payload(3), options(big) + big.option(4, Put(true).u64(6).out) + big.end()) +
      big.obsolete(0, 2, 5001, 3, 3, payload(3), options(big) + big.end()) + big.section(big.option(1, {'x'}));
  const MemoryFile memory(file);
  Scan scan(selectAll(Format::pcapng_us));
  CHECK(scan.openRange(memory.fd(), 0, memory.size(), {}, false, 0));
  const Outcome got = drive(scan, {});
  CHECK_EQ(copyOf(scan.sectionOptions()), options(little));
  CHECK_EQ(got.out, little.interface(
                        1, 0, options(little) + little.option(8, Put(false).u64(1000000000).out) + little.clock(6, 7)) +
                        little.enhanced(0, 5'000'000, payload(3),
                                        options(little) + little.option(4, Put(false).u64(6).out) + little.end()) +
                        little.enhanced(0, 5'001'000, payload(3),
                                        options(little) + little.option(4, Put(false).u64(2).out) + little.end()));
  CHECK_EQ(got.counts.dropped_packets, 8u);
}

TEST("the drop counts of packets inside the windows are summed") {
  const Pcapng ng;
  const auto drops = [&](uint64_t n) { return ng.option(1, {'x'}) + ng.option(4, Put(false).u64(n).out); };
  const MemoryFile file(ng.section() + ng.interface(1) + ng.enhanced(0, 1, {}, drops(10)) +
                        ng.enhanced(0, 2, {}, drops(200)) + ng.enhanced(0, 3, {}, ng.option(4, {1, 2, 3, 4})) +
                        ng.obsolete(0, 3000, 2, 0, 0, {}) + ng.obsolete(0, 0xffff, 2, 0, 0, {}));
  CHECK_EQ(scanFile(file, selectAll(Format::none)).counts.dropped_packets, 3210u);
  const auto window = std::make_shared<const Selection>(Format::none, 0, std::vector<Window>{{2000, 3000}},
                                                        std::vector<Selection::Filter>{});
  CHECK_EQ(scanFile(file, window).counts.dropped_packets, 3200u);
}

TEST("interfaces have names, and count their packets") {
  const Pcapng ng{true};
  const Buffer file =
      ng.section() + ng.interface(1, 64, ng.option(2, {'e', 'n'}) + ng.option(3, {'d'}) + ng.clock(0x8a, -4)) +
      ng.interface(2) + ng.enhanced(1, 1, payload(1)) + ng.enhanced(1, 1, payload(1)) + ng.simple(1, payload(1)) +
      ng.section() + ng.interface(3, 0, ng.option(2, {})) + ng.enhanced(0, 1, payload(1));
  const MemoryFile memory(file);
  Scan scan(selectAll(Format::none));
  CHECK(scan.openRange(memory.fd(), 0, memory.size(), {}, false, 0));
  drive(scan, {});
  CHECK_EQ(scan.sections(), 2u);
  const auto& all = scan.interfaces();
  CHECK_EQ(all.size(), 3u);
  CHECK_EQ(all[0].name, "en");
  CHECK_EQ(all[0].description, "d");
  CHECK_EQ(all[0].interface.snap_length, 64u);
  CHECK_EQ(all[0].interface.offset_seconds, -4);
  CHECK(all[0].interface.resolution == (Resolution{true, 10}));
  CHECK_EQ(all[0].packets, 1u);
  CHECK_EQ(all[1].packets, 2u);
  CHECK_EQ(all[2].name, "");
  CHECK_EQ(all[2].packets, 1u);
  CHECK_EQ(all[2].interface.link_type, 3u);
}

TEST("skipped blocks are counted, clamped times and packets without one too") {
  const Pcapng ng;
  const MemoryFile file(ng.section() + ng.block(4, payload(8)) + ng.interface(1, 0, ng.clock(0)) + ng.block(0xbad, {}) +
                        ng.enhanced(0, UINT64_MAX, payload(1)) + ng.enhanced(0, 9223372036, payload(1)) +
                        ng.enhanced(0, 9223372037, payload(1)) + ng.simple(2, payload(2)) + ng.block(5, {}));
  const Outcome got = scanFile(file, selectAll(Format::records));
  CHECK_EQ(got.counts.blocks_skipped, 3u);
  CHECK_EQ(got.counts.times_clamped, 2u);
  CHECK_EQ(got.counts.packets_without_time, 1u);
  CHECK_EQ(got.counts.max_time, kNanosMax);
  CHECK_EQ(got.counts.min_time, 9223372036'000000000);
  CHECK_EQ(got.counts.captured_bytes_read, 5u);
  CHECK_EQ(got.counts.wire_bytes_read, 5u);
}

}  // namespace spillway::test
