// What is written reads back as what was read, in every format, cut and whole; and what a PCAPNG output keeps.
#include "check.h"
#include "reread.h"
#include "samples.h"

namespace spillway::test {
namespace {

const Format kFormats[] = {Format::pcap_us, Format::pcap_ns, Format::pcapng_us, Format::pcapng_ns};

}  // namespace

TEST("every sample in every format reads back") {
  for (const Sample& sample : samples()) {
    const MemoryFile file(sample.bytes);
    for (const Format format : kFormats) {
      if (isPcap(format) && !sample.one_link_type) continue;
      for (const uint32_t snap : {0u, 1u, 17u, 1000u}) {
        CONTEXT(sample.name << ", format " << static_cast<int>(format) << ", snap " << snap);
        const auto want = parseRecords(scanFile(file, selectAll(Format::records, snap)).out);
        const Outcome written = scanFile(file, selectAll(format, snap));
        CHECK_EQ(written.status, Status::done);
        const auto got = reread(written.out, format, written.counts.link_type_out);
        CHECK_EQ(got.size(), want.size());
        uint64_t cut = 0;
        for (size_t i = 0; i < std::min(want.size(), got.size()); ++i) {
          CONTEXT("packet " << i);
          CHECK(samePacket(want[i], got[i], format));
          CHECK(snap == 0 || got[i].caplen <= snap);
          cut += want[i].caplen == snap && want[i].wirelen > snap;
        }
        CHECK(written.counts.packets_cut <= cut);
      }
    }
  }
}

TEST("the same format gives the same bytes back") {
  const Pcap us, ns{false, pcap::kMagicNanos};
  const Pcapng ng;
  // Odd fractions, lengths and times too.
  const auto pcap_records = [](const Pcap& form) {
    return form.record(1, 2, payload(5)) + form.record(0xffffffff, 0xffffffff, payload(3)) +
           form.record(0, 1999999, 4, 2, payload(4)) + form.record(5, 0, 0, 0xffffffff, {});
  };
  const auto blocks =
      ng.enhanced(0, 5, payload(5)) + ng.enhanced(0, UINT64_MAX, payload(4)) + ng.enhanced(0, 0, 4, 2, payload(4));
  const struct {
    Format format;
    Buffer head, records;
  } cases[] = {{Format::pcap_us, us.header(), pcap_records(us)},
               {Format::pcap_ns, ns.header(), pcap_records(ns)},
               {Format::pcapng_us, ng.section() + ng.interface(1, 0, ng.clock(6)), blocks},
               {Format::pcapng_ns, ng.section() + ng.interface(1, 0, ng.clock(9)), blocks}};
  for (const auto& one : cases) {
    CONTEXT("format " << static_cast<int>(one.format));
    const Outcome got = scanFile(MemoryFile(one.head + one.records), selectAll(one.format));
    CHECK_EQ(got.status, Status::done);
    const Buffer head =
        isPcap(one.format) ? Buffer{} : ng.interface(1, 0, ng.clock(one.format == Format::pcapng_us ? 6 : 9));
    CHECK_EQ(got.out, head + one.records);
  }
}

TEST("an odd fraction survives a cut of the data") {
  const Pcap us;
  const MemoryFile file(us.header() + us.record(0xffffffff, 1500000, payload(20)) +
                        us.record(7, 4000000000u, payload(20)));
  const Outcome got = scanFile(file, selectAll(Format::pcap_us, 10));
  CHECK_EQ(got.status, Status::done);
  CHECK_EQ(got.out,
           us.record(0xffffffff, 1500000, 10, 20, payload(10)) + us.record(7, 4000000000u, 10, 20, payload(10)));
}

TEST("a pcap source in PCAPNG is described first") {
  const Pcap form{true, pcap::kMagicNanos, 2, 4, 4096, 113};
  const Pcapng ng;
  const Outcome got =
      scanFile(MemoryFile(form.header() + form.record(1, 2, 5, 9, payload(5))), selectAll(Format::pcapng_ns));
  CHECK_EQ(got.out, ng.interface(113, 4096, ng.clock(9)) + ng.enhanced(0, 1'000'000'002, 5, 9, payload(5)));
  CHECK_EQ(got.counts.snap_length_out, 4096u);
  CHECK_EQ(got.counts.link_type_out, 113);
  CHECK_EQ(got.counts.interface_count, 1u);
}

TEST("the fixed form of the oracles") {
  const Pcap form;
  const Outcome got =
      scanFile(MemoryFile(form.header() + form.record(3, 4, payload(1)) + form.record(5, 2000006, 2, 7, payload(2))),
               selectAll(Format::records));
  const Buffer first = Put(false).u64(1).u64(3).u64(4000).u32(1).u32(1).u32(1).u32(0).u32(0).u32(0).raw(payload(1)).out;
  const Buffer second =
      Put(false).u64(2).u64(5).u64(2000006000).u32(2).u32(7).u32(1).u32(0).u32(0).u32(0).raw(payload(2)).out;
  CHECK_EQ(got.out, first + second);
  const Pcapng ng;
  const Outcome negative = scanFile(
      MemoryFile(ng.section() + ng.interface(1, 0, ng.clock(9, -2)) + ng.enhanced(0, 5, {}) + ng.simple(0, {})),
      selectAll(Format::records));
  CHECK_EQ(negative.out,
           Put(false).u64(1).u64(static_cast<uint64_t>(-2)).u64(5).u32(0).u32(0).u32(1).u32(0).u32(0).u32(0).out +
               Put(false).u64(2).u64(0).u64(0).u32(0).u32(0).u32(1).u32(0).u32(1).u32(0).out);
}

}  // namespace spillway::test
