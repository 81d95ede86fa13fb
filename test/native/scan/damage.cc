// Damaged and strange sources: every whole packet before the damage is out, and one sentence says what is wrong and
// where.
#include <fcntl.h>

#include "check.h"
#include "drive.h"
#include "random.h"
#include "samples.h"

namespace spillway::test {
namespace {

Outcome both(const Buffer& bytes, Format format = Format::records) {
  const Outcome file = scanFile(MemoryFile(bytes), selectAll(format));
  const Outcome stream = scanStream(bytes, 5, selectAll(format));
  CHECK_EQ(stream.status, file.status);
  CHECK_EQ(stream.damage, file.damage);
  CHECK(stream.out == file.out);
  CHECK_EQ(stream.counts.detail_offset, file.counts.detail_offset);
  return file;
}

}  // namespace

TEST("a file cut at every byte") {
  for (const Sample& sample : samples()) {
    const bool is_pcap = sample.name.find("pcapng") == std::string::npos;
    const Outcome whole = both(sample.bytes);
    uint64_t most = 0;
    for (size_t size = 0; size < sample.bytes.size(); ++size) {
      CONTEXT(sample.name << ", cut to " << size);
      const Outcome got = both(Buffer(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(size)));
      CHECK(std::equal(got.out.begin(), got.out.end(), whole.out.begin()));
      CHECK(got.counts.packets_out >= most);
      most = got.counts.packets_out;
      CHECK(got.status == Status::damage || got.status == Status::done);
      if (got.status == Status::done) {
        CHECK_EQ(got.counts.end, size);
        continue;
      }
      CHECK_EQ(got.counts.detail_offset, got.counts.end);
      CHECK(got.counts.end <= size);
      if (size == 0) CHECK_EQ(got.damage, "the file is empty");
      else if (size < (is_pcap ? 24 : 4)) CHECK_EQ(got.damage, "the file ends inside its header");
      else CHECK_EQ(got.damage, is_pcap ? "the file ends inside a packet" : "the file ends inside a block");
    }
  }
}

TEST("lengths that no packet can have, after whole ones") {
  for (const bool big : {false, true}) {
    const Pcap form{big};
    const Buffer head = form.header() + form.record(1, 1, payload(5)) + form.record(2, 1, payload(6));
    for (const uint32_t caplen : {262145u, 1u << 31, 0xffffffffu}) {
      const Outcome got = both(head + form.record(3, 1, caplen, caplen, payload(50)));
      CHECK_EQ(got.status, Status::damage);
      CHECK_EQ(got.counts.packets_out, 2u);
      CHECK_EQ(got.counts.detail_offset, head.size());
      CHECK(got.damage.find(std::to_string(caplen)) != std::string::npos);
    }
    // Without bytes is no damage.
    CHECK_EQ(both(head + form.record(3, 1, 0, 0, {})).counts.packets_out, 3u);
    const Pcapng ng{big};
    const Buffer blocks = ng.section() + ng.interface(1) + ng.enhanced(0, 1, payload(5));
    for (const uint32_t size : {0u, 8u, 1u << 31, 0xffffffffu, 0xfffffffcu}) {
      const Outcome got = both(blocks + Put(big).u32(6).u32(size).raw(Buffer(60)).out);
      CHECK_EQ(got.status, Status::damage);
      CHECK_EQ(got.counts.packets_out, 1u);
      CHECK_EQ(got.counts.detail_offset, blocks.size());
    }
  }
}

TEST("what is no capture file") {
  const Outcome text = both({'h', 'e', 'l', 'l', 'o', ' ', 'y', 'o', 'u'});
  CHECK_EQ(text.status, Status::damage);
  CHECK(text.damage.find("not a capture file") != std::string::npos);
  CHECK_EQ(text.counts.detail_offset, 0u);
  Random random(71);
  for (int round = 0; round < 2000; ++round) {
    const Outcome got = both(random.bytes(random.below(300)));
    CHECK_EQ(got.status, Status::damage);
    CHECK_EQ(got.counts.packets_out, 0u);
    CHECK(!got.damage.empty());
  }
  CHECK(both(Pcap{false, pcap::kMagicMicros, 3, 0}.header()).damage.find("3.0") != std::string::npos);
}

TEST("flipped bits lose nothing before them") {
  Random random(72);
  for (const Sample& sample : samples()) {
    const Outcome whole = both(sample.bytes, Format::pcapng_ns);
    for (int round = 0; round < 400; ++round) {
      Buffer bytes = sample.bytes;
      // Behind the middle, so that what stands before is known.
      const size_t at = bytes.size() / 2 + random.below(bytes.size() - bytes.size() / 2);
      bytes[at] ^= static_cast<uint8_t>(1u << random.below(8));
      CONTEXT(sample.name << ", byte " << at);
      const Outcome before =
          both(Buffer(sample.bytes.begin(), sample.bytes.begin() + static_cast<long>(at)), Format::pcapng_ns);
      const Outcome got = both(bytes, Format::pcapng_ns);
      CHECK(got.out.size() >= before.out.size());
      CHECK(std::equal(before.out.begin(), before.out.end(), got.out.begin()));
    }
  }
}

TEST("stepping on after damage changes nothing") {
  const Pcapng ng;
  const Buffer files[] = {
      ng.section() + ng.interface(1) + ng.enhanced(0, 1, payload(1)) + ng.enhanced(5, 1, payload(1)),
      ng.section() + ng.interface(1) + ng.block(1, Buffer(4)),
      Pcap{}.header() + Pcap{}.record(1, 1, 0xffffffff, 1, payload(9)),
      {'x', 'y', 'z', 'x', 'y', 'z'}};
  for (const Buffer& bytes : files) {
    const MemoryFile file(bytes);
    Scan scan(selectAll(Format::records));
    CHECK(scan.openRange(file.fd(), 0, file.size(), {}, false, 0));
    const Outcome first = drive(scan, {});
    CHECK_EQ(first.status, Status::damage);
    for (int round = 0; round < 3; ++round) {
      uint8_t buffer[256];
      CHECK_EQ(scan.step(buffer, sizeof buffer, 1000), Status::damage);
      CHECK_EQ(scan.outLength(), 0u);
      CHECK_EQ(scan.damageText(), first.damage);
      CHECK_EQ(scan.counts().packets_read, first.counts.packets_read);
      CHECK(scan.state() == first.state);
    }
  }
}

TEST("interfaces without end are damage") {
  const Pcapng ng;
  Buffer file = ng.section();
  const Buffer one = ng.interface(1);
  file.reserve(one.size() * 65600);
  for (int i = 0; i < 65536; ++i) file.insert(file.end(), one.begin(), one.end());
  const Buffer packet = ng.enhanced(65535, 1, payload(1));
  const Outcome full = scanFile(MemoryFile(file + packet), selectAll(Format::pcapng_us));
  CHECK_EQ(full.status, Status::done);
  CHECK_EQ(full.counts.packets_out, 1u);
  CHECK_EQ(full.counts.interface_count, 65536u);
  const Outcome got = scanFile(MemoryFile(file + packet + one + packet), selectAll(Format::none));
  CHECK_EQ(got.status, Status::damage);
  CHECK(got.damage.find("65536 interfaces") != std::string::npos);
  CHECK_EQ(got.counts.packets_out, 1u);
  // Also over several sections, and with those of earlier sources.
  CHECK_EQ(scanFile(MemoryFile(file + ng.section() + one), selectAll(Format::none)).status, Status::damage);
  Drive how;
  how.interface_base = 65535;
  CHECK_EQ(scanFile(MemoryFile(ng.section() + one), selectAll(Format::none), how).status, Status::done);
  CHECK_EQ(scanFile(MemoryFile(ng.section() + one + one), selectAll(Format::none), how).status, Status::damage);
}

TEST("a file that shrinks while it is read") {
  const Buffer bytes = largePcap(73, 2 << 20);
  MemoryFile file(bytes);
  const Outcome whole = scanFile(file, selectAll(Format::pcap_us));
  Scan scan(selectAll(Format::pcap_us));
  CHECK(scan.openRange(file.fd(), 0, file.size(), {}, false, 0));
  int steps = 0;
  Drive how;
  how.budget = 1;
  how.before_step = [&](Scan&) {
    if (++steps == 3) file.resize(1 << 20);
  };
  const Outcome got = drive(scan, how);
  CHECK_EQ(got.status, Status::damage);
  CHECK_EQ(got.damage, "the file ends inside a packet");
  CHECK(got.counts.packets_out > 100);
  CHECK(got.counts.packets_out < whole.counts.packets_out);
  CHECK(std::equal(got.out.begin(), got.out.end(), whole.out.begin()));
}

TEST("reading that fails") {
  const int folder = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  Scan scan(selectAll(Format::records));
  CHECK(scan.openRange(folder, 0, 1000, {}, false, 0));
  const Outcome got = drive(scan, {});
  CHECK_EQ(got.status, Status::io_error);
  CHECK_EQ(got.counts.detail, EISDIR);
  CHECK_EQ(got.counts.detail_offset, 0u);
  ::close(folder);
}

}  // namespace spillway::test
