// What the pcap writer writes, byte by byte.
#include "format/pcap_writer.h"

#include "buffer.h"
#include "check.h"

namespace spillway::test {

TEST("file headers") {
  Buffer header(pcap::kFileHeaderBytes, 0xee);
  pcap::putFileHeader(header.data(), false, 65535, 1);
  CHECK_EQ(header, (Buffer{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0}));
  pcap::putFileHeader(header.data(), true, 0x01020304, 0x0105);
  CHECK_EQ(header, (Buffer{0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 5, 1, 0, 0}));
}

TEST("time fields") {
  const struct {
    Nanos time;
    bool fits;
    uint32_t seconds, micros, nanos;
  } cases[] = {
      {0, true, 0, 0, 0},
      {1999, true, 0, 1, 1999},
      {1700000000'999999999, true, 1700000000, 999999, 999999999},
      {4294967295'999999999, true, 4294967295, 999999, 999999999},
      {4294967296'000000000, false, 0, 0, 0},
      {-1, false, 0, 0, 0},
      {kNanosMin, false, 0, 0, 0},
      {kNanosMax, false, 0, 0, 0},
  };
  for (const auto& one : cases) {
    for (const bool nanos : {false, true}) {
      CONTEXT("time " << one.time << (nanos ? " ns" : " us"));
      Packet packet;
      packet.time = one.time;
      uint32_t seconds = 77, fraction = 77;
      CHECK_EQ(pcap::timeFields(packet, nanos, &seconds, &fraction), one.fits);
      if (!one.fits) continue;
      CHECK_EQ(seconds, one.seconds);
      CHECK_EQ(fraction, nanos ? one.nanos : one.micros);
    }
  }
}

TEST("odd fractions keep their fields where they fit") {
  Packet packet;
  packet.odd_time = true;
  packet.odd_seconds = 0xffffffff;
  packet.odd_nanos = 1'500'000'999;
  packet.time = static_cast<int64_t>(packet.odd_seconds) * kNanosPerSecond + static_cast<int64_t>(packet.odd_nanos);
  uint32_t seconds = 0, fraction = 0;
  CHECK(pcap::timeFields(packet, false, &seconds, &fraction));
  CHECK_EQ(seconds, 0xffffffffu);
  CHECK_EQ(fraction, 1'500'000u);
  CHECK(pcap::timeFields(packet, true, &seconds, &fraction));
  CHECK_EQ(seconds, 0xffffffffu);
  CHECK_EQ(fraction, 1'500'000'999u);
  // 2^32 - 1 microseconds do not fit in nanoseconds: they are carried over.
  packet.odd_seconds = 10;
  packet.odd_nanos = 4'294'967'295'000;
  packet.time = 10 * kNanosPerSecond + 4'294'967'295'000;
  CHECK(pcap::timeFields(packet, true, &seconds, &fraction));
  CHECK_EQ(seconds, 4304u);
  CHECK_EQ(fraction, 967'295'000u);
}

TEST("records") {
  const Buffer data = {0xaa, 0xbb, 0xcc, 0xdd, 0xee};
  Packet packet;
  packet.data = data.data();
  packet.caplen = 5;
  packet.wirelen = 0x102;
  const auto record = [&](uint32_t keep) {
    const size_t size = pcap::recordBytes(keep);
    Buffer to(size + 1, 0x99);
    pcap::putRecord(to.data(), 0x01020304, 0x0f0e0d0c, packet, keep);
    CHECK_EQ(to[size], 0x99);
    to.pop_back();
    return to;
  };
  CHECK_EQ(record(5), (Buffer{4, 3, 2, 1, 0xc, 0xd, 0xe, 0xf, 5, 0, 0, 0, 2, 1, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd, 0xee}));
  CHECK_EQ(record(3), (Buffer{4, 3, 2, 1, 0xc, 0xd, 0xe, 0xf, 3, 0, 0, 0, 2, 1, 0, 0, 0xaa, 0xbb, 0xcc}));
  CHECK_EQ(record(0), (Buffer{4, 3, 2, 1, 0xc, 0xd, 0xe, 0xf, 0, 0, 0, 0, 2, 1, 0, 0}));
}

}  // namespace spillway::test
