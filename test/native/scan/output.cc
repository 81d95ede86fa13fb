// The output at every capacity, and that copying runs of records gives what shaping each one gives.
#include "scan/output.h"

#include "capture.h"
#include "check.h"
#include "drive.h"

namespace spillway::test {
namespace {

// Packets of a file that lie behind one another in it, with gaps now and then.
struct Packets {
  std::vector<Packet> all;
  Exact bytes;
  Interface interface;

  Packets(const Buffer& file, size_t header, Format verbatim) : bytes(file) {
    for (size_t at = header; at < bytes.size();) {
      const bool is_pcap = verbatim == Format::pcap_us;
      const uint8_t* p = bytes.data() + at;
      Packet packet;
      packet.caplen = load32(p + (is_pcap ? 8 : 20));
      packet.wirelen = load32(p + (is_pcap ? 12 : 24));
      packet.data = p + (is_pcap ? 16 : 28);
      packet.time = is_pcap ? load32(p) * kNanosPerSecond + load32(p + 4) * 1000ll
                            : static_cast<int64_t>(static_cast<uint64_t>(load32(p + 12)) << 32 | load32(p + 16));
      packet.record = {p, is_pcap ? 16 + packet.caplen : load32(p + 4)};
      packet.verbatim = verbatim;
      at += packet.record.size;
      all.push_back(packet);
    }
  }
};

Packets pcapPackets() {
  const Pcap form;
  Buffer file;
  for (uint8_t i = 0; i < 9; ++i) file = file + form.record(100u + i, i, payload(i * 5u, i));
  return {file, 0, Format::pcap_us};
}

Packets pcapngPackets() {
  const Pcapng ng;
  Buffer file;
  for (uint8_t i = 0; i < 9; ++i) file = file + ng.enhanced(0, 1000u + i, payload(i * 5u, i));
  return {file, 0, Format::pcapng_ns};
}

// Writes packets with these indexes, each buffer of `capacity` bytes; 0 where one can't hold a packet.
Buffer written(const Packets& packets, Format format, uint32_t snap, size_t capacity, bool runs,
               const std::vector<size_t>& which) {
  Output output;
  output.open(format, snap);
  Buffer all;
  uint32_t crc = 0;
  for (size_t next = 0; next < which.size();) {
    const std::unique_ptr<uint8_t[]> buffer(new uint8_t[capacity]);
    output.begin(buffer.get(), capacity);
    const size_t before = next;
    for (; next < which.size(); ++next) {
      Packet packet = packets.all[which[next]];
      if (!runs) packet.verbatim = Format::none;
      const Output::Put put =
          output.packet(packet, output.kept(packet), packets.interface, 0, true, which[next] + 1, {});
      if (put == Output::Put::full) {
        CHECK(output.needed() != 0);
        break;
      }
      CHECK(put == Output::Put::done);
      CHECK_EQ(output.needed(), 0u);
    }
    crc = output.finish(crc);
    CHECK(output.size() <= capacity);
    all.insert(all.end(), buffer.get(), buffer.get() + output.size());
    if (next < which.size()) CHECK(output.size() + output.needed() > capacity);
    if (next == before) {
      CHECK(output.needed() > capacity);
      return {};
    }
  }
  CHECK_EQ(crc, crc32cPortable(all.data(), all.size()));
  return all;
}

const std::vector<std::vector<size_t>> kWhich = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8}, {0, 1, 2, 5, 6, 8}, {8, 7, 6}, {3, 3, 3}, {1, 3, 5, 7}, {}};

}  // namespace

TEST("runs are what shaping gives, at every capacity") {
  for (const bool ng : {false, true}) {
    const Packets packets = ng ? pcapngPackets() : pcapPackets();
    const Format same = ng ? Format::pcapng_ns : Format::pcap_us;
    for (const Format format :
         {Format::pcap_us, Format::pcap_ns, Format::pcapng_us, Format::pcapng_ns, Format::records}) {
      for (const uint32_t snap : {0u, 1u, 18u}) {
        for (const auto& which : kWhich) {
          const Buffer want = written(packets, format, snap, 1 << 16, false, which);
          for (size_t capacity = 0; capacity <= want.size() + 2; ++capacity) {
            const Buffer got = written(packets, format, snap, capacity, true, which);
            // Where one record does not fit the caller brings another buffer; that is the scan's test.
            if (got.empty() && !want.empty() && capacity < 160) continue;
            if (got == want) continue;
            CONTEXT("format " << static_cast<int>(format) << ", snap " << snap << ", capacity " << capacity);
            CHECK_EQ(got, want);
          }
          if (format == same && snap == 0) CHECK_EQ(written(packets, format, snap, 1 << 16, true, which), want);
        }
      }
    }
  }
}

TEST("a record of another interface is not copied as it is") {
  const Packets packets = pcapngPackets();
  Output output;
  output.open(Format::pcapng_ns, 0);
  uint8_t buffer[256];
  output.begin(buffer, sizeof buffer);
  CHECK(output.packet(packets.all[1], 5, packets.interface, 7, false, 1, {}) == Output::Put::done);
  output.finish(0);
  CHECK_EQ(load32(buffer + 8), 7u);
  CHECK_EQ(output.size(), 40u);
}

TEST("no output is written for counting") {
  const Packets packets = pcapPackets();
  Output output;
  output.open(Format::none, 3);
  output.begin(nullptr, 0);
  for (const Packet& packet : packets.all)
    CHECK(output.packet(packet, output.kept(packet), packets.interface, 0, true, 1, {}) == Output::Put::done);
  CHECK(output.interface(packets.interface, {}, {}) == Output::Put::done);
  CHECK_EQ(output.finish(5), 5u);
  CHECK_EQ(output.size(), 0u);
}

TEST("the checksum follows over many pieces") {
  const Pcap form;
  const Buffer record = form.record(1, 2, payload(40000));
  Buffer file;
  for (int i = 0; i < 30; ++i) file = file + record;
  const Packets packets(file, 0, Format::pcap_us);
  std::vector<size_t> which;
  for (size_t i = 0; i < 30; ++i) which.push_back(i);
  for (const size_t capacity : {40016u, 65535u, 65536u, 100000u, 2000000u})
    CHECK_EQ(written(packets, Format::pcap_us, 0, capacity, true, which), file);
}

}  // namespace spillway::test
