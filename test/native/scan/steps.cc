// What a scan gives never depends on how it is cut into steps, buffers and chunks.
#include "check.h"
#include "drive.h"
#include "random.h"
#include "samples.h"

namespace spillway::test {
namespace {

const Format kFormats[] = {Format::pcap_us,   Format::pcap_ns, Format::pcapng_us,
                           Format::pcapng_ns, Format::records, Format::none};

void checkSame(const Outcome& got, const Outcome& want) {
  CHECK_EQ(got.status, want.status);
  CHECK(got.out == want.out);
  CHECK(sameCounts(got.counts, want.counts));
  CHECK_EQ(got.damage, want.damage);
  CHECK(got.state == want.state);
}

Drive withSteps(size_t budget, size_t capacity) {
  Drive how;
  how.budget = budget;
  how.capacity = capacity;
  return how;
}

}  // namespace

TEST("every sample is read whole") {
  for (const Sample& sample : samples()) {
    CONTEXT(sample.name);
    const Outcome whole = scanFile(MemoryFile(sample.bytes), selectAll(Format::records));
    CHECK_EQ(whole.status, Status::done);
    CHECK_EQ(whole.counts.packets_out, sample.packets);
    CHECK_EQ(parseRecords(whole.out).size(), sample.packets);
    CHECK_EQ(whole.counts.end, sample.bytes.size());
  }
}

TEST("every capacity of the output") {
  for (const Sample& sample : samples()) {
    const MemoryFile file(sample.bytes);
    for (const Format format : kFormats) {
      for (const uint32_t snap : {0u, 10u}) {
        const Outcome want = scanFile(file, selectAll(format, snap));
        const size_t step = want.out.size() > 600 ? 7 : 1;
        for (size_t capacity = 0; capacity <= want.out.size() + 1; capacity += capacity < 200 ? 1 : step) {
          CONTEXT(sample.name << ", format " << static_cast<int>(format) << ", snap " << snap << ", capacity "
                              << capacity);
          checkSame(scanFile(file, selectAll(format, snap), withSteps(1 << 20, capacity)), want);
        }
      }
    }
  }
}

TEST("a stream in chunks of every size") {
  for (const Sample& sample : samples()) {
    const MemoryFile file(sample.bytes);
    for (const Format format : {Format::pcap_us, Format::pcapng_ns, Format::records}) {
      const Outcome want = scanFile(file, selectAll(format));
      for (size_t chunk = 1; chunk <= sample.bytes.size(); chunk += chunk < 150 ? 1 : 13) {
        CONTEXT(sample.name << ", format " << static_cast<int>(format) << ", chunk " << chunk);
        checkSame(scanStream(sample.bytes, chunk, selectAll(format), withSteps(1 + chunk % 50, 64)), want);
      }
    }
  }
}

TEST("budgets and capacities of a file of many reads") {
  Random random(51);
  const Buffer files[] = {largePcap(52, 3 << 20), largePcap(53, 1 << 20, {true, pcap::kMagicNanos}),
                          largePcapng(54, 3 << 20), largePcapng(55, 1 << 20, {true})};
  for (const Buffer& bytes : files) {
    const MemoryFile file(bytes);
    const Outcome want = scanFile(file, selectAll(Format::pcapng_us), withSteps(SIZE_MAX >> 8, 8 << 20));
    CHECK_EQ(want.status, Status::done);
    CHECK_EQ(want.steps, 1u);
    for (const size_t budget :
         {size_t{1}, size_t{1000}, limits::kReadBytes - 1, limits::kReadBytes, limits::kReadBytes + 1, size_t{1} << 20})
      checkSame(scanFile(file, selectAll(Format::pcapng_us), withSteps(budget, 4 << 20)), want);
    for (int round = 0; round < 10; ++round) {
      Drive how;
      how.before_step = [&](Scan&) {
        how.budget = 1 + random.below(500000);
        how.capacity = random.below(200000);
      };
      checkSame(scanFile(file, selectAll(Format::pcapng_us), how), want);
      checkSame(scanStream(bytes, 1 + random.below(300000), selectAll(Format::pcapng_us), how), want);
    }
  }
}

TEST("a step of a small budget reads little") {
  const Buffer bytes = largePcap(56, 4 << 20);
  const MemoryFile file(bytes);
  Scan scan(selectAll(Format::none));
  CHECK(scan.openRange(file.fd(), 0, file.size(), {}, false, 0));
  uint64_t before = 0;
  size_t steps = 0;
  while (scan.step(nullptr, 0, 300000) == Status::budget) {
    CHECK(scan.counts().end - before <= 300000 + limits::kReadBytes + 65536);
    before = scan.counts().end;
    ++steps;
  }
  CHECK(steps >= 7);
}

TEST("records of the largest size, in streams and ranges") {
  const Pcapng ng;
  const size_t largest = (16u << 20) - 32;
  const Buffer bytes = ng.section() + ng.interface(1) + ng.enhanced(0, 1, payload(largest)) +
                       ng.enhanced(0, 2, payload(3)) + ng.enhanced(0, 3, payload(largest - 5));
  const MemoryFile file(bytes);
  const Outcome want = scanFile(file, selectAll(Format::pcapng_ns), withSteps(1 << 20, 100));
  CHECK_EQ(want.status, Status::done);
  CHECK_EQ(want.counts.packets_out, 3u);
  checkSame(scanStream(bytes, 65536, selectAll(Format::pcapng_ns), withSteps(1 << 20, 100)), want);
  checkSame(scanStream(bytes, SIZE_MAX, selectAll(Format::pcapng_ns), withSteps(1, 40 << 20)), want);
  Pcap form;
  form.snap = 0xffffffff;
  const Buffer pcap_bytes = form.header() + form.record(1, 2, payload(16u << 20)) + form.record(1, 3, payload(1));
  const Outcome pcap = scanFile(MemoryFile(pcap_bytes), selectAll(Format::pcap_us), withSteps(1, 1));
  CHECK_EQ(pcap.status, Status::done);
  CHECK(pcap.out == Buffer(pcap_bytes.begin() + 24, pcap_bytes.end()));
}

}  // namespace spillway::test
