// A file in ranges gives what it gives as one, wherever it is divided.
#include "ranges.h"
#include "check.h"
#include "random.h"
#include "samples.h"

namespace spillway::test {
namespace {

void checkRanges(const MemoryFile& file, const std::vector<uint64_t>& cuts, Format format, const Outcome& want) {
  const Ranged got = scanInRanges(file, cuts, [&] { return selectAll(format); });
  CHECK_EQ(got.last.status, want.status);
  CHECK_EQ(got.last.damage, want.damage);
  CHECK(got.out == want.out);
  CHECK_EQ(got.packets, want.counts.packets_out);
  CHECK_EQ(got.last.counts.end, want.counts.end);
  CHECK_EQ(got.last.counts.interface_count, want.counts.interface_count);
  CHECK(got.last.state == want.state);
}

}  // namespace

TEST("divided in two at every byte") {
  for (const Sample& sample : samples()) {
    const MemoryFile file(sample.bytes);
    for (const Format format : {Format::pcapng_ns, Format::pcapng_us, Format::pcap_us}) {
      if (format == Format::pcap_us && !sample.one_link_type) continue;
      const Outcome want = scanFile(file, selectAll(format));
      for (uint64_t cut = 1; cut < file.size(); ++cut) {
        CONTEXT(sample.name << ", cut at " << cut);
        checkRanges(file, {cut}, format, want);
      }
    }
  }
}

TEST("divided in three at random, cut short, and from an interface base") {
  Random random(61);
  for (const Sample& sample : samples()) {
    for (int round = 0; round < 60; ++round) {
      const size_t size = 1 + random.below(sample.bytes.size());
      const MemoryFile file(Buffer(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(size)));
      uint64_t a = 1 + random.below(size), b = 1 + random.below(size);
      if (a > b) std::swap(a, b);
      CONTEXT(sample.name << ", " << size << " bytes, cut at " << a << " and " << b);
      const Outcome want = scanFile(file, selectAll(Format::pcapng_ns));
      // Where the first range ends inside the file header there is no state to go on with.
      if (want.state.empty() || want.counts.end == 0) continue;
      checkRanges(file, {a, b}, Format::pcapng_ns, want);
    }
  }
}

TEST("guesses are right where traffic is ordinary") {
  Random random(62);
  const Buffer files[] = {largePcap(63, 2 << 20), largePcap(64, 1 << 20, {true, pcap::kMagicNanos}),
                          largePcap(65, 1 << 20, {false, pcap::kMagicModified}), largePcapng(66, 2 << 20),
                          largePcapng(67, 1 << 20, {true})};
  for (const Buffer& bytes : files) {
    const MemoryFile file(bytes);
    Drive how;
    how.capacity = 4 << 20;
    const Outcome want = scanFile(file, selectAll(Format::pcapng_ns), how);
    uint64_t right = 0, wrong = 0;
    for (int round = 0; round < 12; ++round) {
      std::vector<uint64_t> cuts;
      for (uint64_t at = 150000; at + 150000 < bytes.size(); at += 150000 + random.below(100000)) cuts.push_back(at);
      const Ranged got = scanInRanges(
          file, cuts, [] { return selectAll(Format::pcapng_ns); }, how);
      CHECK(got.out == want.out);
      right += got.guesses;
      wrong += got.wrong;
    }
    CHECK(right > 40);
    CHECK(wrong * 20 <= right);
  }
}

TEST("a range in which no record begins") {
  const Pcapng ng;
  const Buffer head = ng.section() + ng.interface(1);
  const MemoryFile file(head + ng.enhanced(0, 1, Buffer(3 << 20, 0)) + ng.enhanced(0, 2, payload(4)));
  const Outcome first = scanFile(MemoryFile(head), selectAll(Format::none));
  Scan scan(selectAll(Format::none));
  CHECK(scan.openRange(file.fd(), 1 << 20, 2 << 20, bytesOf(first.state), true, 0));
  CHECK_EQ(drive(scan, {}).status, Status::no_boundary);
  // Asked again it says so again.
  CHECK_EQ(scan.step(nullptr, 0, 1000), Status::no_boundary);
  CHECK_EQ(scan.counts().packets_read, 0u);
}

TEST("what can't be opened") {
  const MemoryFile file(samples()[0].bytes);
  const Buffer state = scanFile(file, selectAll(Format::none)).state;
  Scan scan(selectAll(Format::none));
  CHECK(!scan.openRange(file.fd(), 24, file.size(), {}, false, 0));
  CHECK(!scan.openRange(file.fd(), 0, file.size(), {}, true, 0));
  Buffer broken = state;
  broken.pop_back();
  CHECK(!scan.openRange(file.fd(), 24, file.size(), bytesOf(broken), false, 0));
  CHECK(scan.openRange(file.fd(), 24, file.size(), bytesOf(state), false, 0));
  CHECK_EQ(drive(scan, {}).counts.packets_read, 12u);
  // Of no length.
  CHECK(scan.openRange(file.fd(), 24, 24, bytesOf(state), false, 0));
  CHECK_EQ(drive(scan, {}).counts.packets_read, 0u);
}

TEST("a file that is shorter than its range is damaged, though it ends with a whole record") {
  for (const Sample& sample : samples()) {
    CONTEXT(sample.name);
    MemoryFile file(sample.bytes);
    const Outcome whole = scanFile(file, selectAll(Format::none));
    Scan scan(selectAll(Format::none));
    CHECK(scan.openRange(file.fd(), 0, file.size() + 100, {}, false, 0));
    Outcome got = drive(scan, {});
    CHECK_EQ(got.status, Status::damage);
    CHECK_EQ(got.damage, "the file ends 100 bytes before it should");
    CHECK_EQ(got.counts.detail_offset, file.size());
    CHECK_EQ(got.counts.packets_read, whole.counts.packets_read);
    // All of the range is missing.
    CHECK(scan.openRange(file.fd(), file.size() + 100, file.size() + 104, bytesOf(whole.state), false, 0));
    got = drive(scan, {});
    CHECK_EQ(got.status, Status::damage);
    CHECK_EQ(got.damage, "the file ends 4 bytes before it should");
  }
}

TEST("one scan object reads one source after another") {
  Scan scan(selectAll(Format::records));
  for (int round = 0; round < 2; ++round) {
    for (const Sample& sample : samples()) {
      CONTEXT(sample.name);
      const MemoryFile file(sample.bytes);
      const Outcome want = scanFile(file, selectAll(Format::records));
      CHECK(scan.openRange(file.fd(), 0, file.size(), {}, false, 0));
      const Outcome got = drive(scan, {});
      CHECK(got.out == want.out);
      CHECK_EQ(got.counts.crc32c, want.counts.crc32c);
      CHECK(got.state == want.state);
      CHECK_EQ(scan.sections(), sample.name.find("rich") != std::string::npos ? 4u : 1u);
    }
  }
}

}  // namespace spillway::test
