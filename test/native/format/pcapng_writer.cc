// What the PCAPNG writer writes, byte by byte, and that it stays within the bounds it names.
#include "format/pcapng_writer.h"

#include "capture.h"
#include "check.h"

namespace spillway::test {
namespace {

const uint8_t kUntouched = 0x99;

Buffer section(const Buffer& options) {
  Buffer to = {7};
  pcapng::putSection(&to, bytesOf(options));
  CHECK_EQ(to[0], 7);  // appended
  return {to.begin() + 1, to.end()};
}

// Writes into a block of the bound's size, so that a byte beyond it is seen.
Buffer interface(const Interface& from, bool nanos, const Buffer& options, bool big) {
  const size_t bound = pcapng::interfaceBytesBound(options.size());
  const std::unique_ptr<uint8_t[]> to(new uint8_t[bound]);
  std::fill_n(to.get(), bound, kUntouched);
  const Exact source(options);
  const size_t size = pcapng::putInterface(to.get(), from, nanos, source.bytes(), Order{big});
  CHECK(size <= bound);
  return {to.get(), to.get() + size};
}

Buffer packet(const Packet& from, uint32_t keep, uint32_t id, uint64_t ticks, bool big = false) {
  const size_t bound = pcapng::packetBytesBound(from, keep);
  const std::unique_ptr<uint8_t[]> to(new uint8_t[bound]);
  std::fill_n(to.get(), bound, kUntouched);
  const size_t size = pcapng::putPacket(to.get(), from, keep, id, ticks, Order{big});
  CHECK(size <= bound);
  return {to.get(), to.get() + size};
}

}  // namespace

TEST("sections") {
  CHECK_EQ(section({}), (Buffer{0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0,
                                0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0, 0}));
  CHECK_EQ(section({2, 0, 1, 0, 'x', 0, 0, 0}),
           (Buffer{0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
                   0xff, 0xff, 0xff, 0xff, 2,  0, 1, 0, 'x',  0,    0,    0,    0, 0, 0, 0, 40,   0,    0,    0}));
}

TEST("interfaces") {
  Interface from;
  from.link_type = 0x0171;
  from.snap_length = 0x01020304;
  CHECK_EQ(interface(from, false, {}, false), (Buffer{1, 0, 0, 0, 32, 0, 0, 0, 0x71, 1, 0, 0, 4,  3, 2, 1,
                                                      9, 0, 1, 0, 6,  0, 0, 0, 0,    0, 0, 0, 32, 0, 0, 0}));
  CHECK_EQ(interface(from, true, {}, false), (Buffer{1, 0, 0, 0, 32, 0, 0, 0, 0x71, 1, 0, 0, 4,  3, 2, 1,
                                                     9, 0, 1, 0, 9,  0, 0, 0, 0,    0, 0, 0, 32, 0, 0, 0}));
  // A big-endian source's name and speed are kept, its resolution replaced and its offset kept.
  from.offset_seconds = -2;
  from.resolution = {true, 20};
  const Pcapng big{true};
  const Buffer options = big.option(2, {'e', 'n', '0'}) + big.option(8, {0, 0, 0, 0, 0, 0, 1, 2}) + big.clock(0x94, -2);
  CHECK_EQ(interface(from, true, options, true),
           (Buffer{1,  0, 0, 0, 64,   0,    0,    0,    0x71, 1,    0,    0,    4, 3, 2, 1,  //
                   2,  0, 3, 0, 'e',  'n',  '0',  0,                                         //
                   8,  0, 8, 0, 2,    1,    0,    0,    0,    0,    0,    0,                 //
                   9,  0, 1, 0, 9,    0,    0,    0,                                         //
                   14, 0, 8, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 64, 0, 0, 0}));
}

TEST("packets") {
  const Buffer data = {0xaa, 0xbb, 0xcc, 0xdd, 0xee};
  Packet from;
  from.data = data.data();
  from.caplen = 5;
  from.wirelen = 0x0506;
  CHECK_EQ(packet(from, 5, 3, 0x0102030405060708),
           (Buffer{6, 0, 0, 0, 40, 0, 0, 0, 3,    0,    0,    0,    4,    3, 2, 1, 8,  7, 6, 5,
                   5, 0, 0, 0, 6,  5, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0, 0, 0, 40, 0, 0, 0}));
  CHECK_EQ(packet(from, 4, 0, 1), (Buffer{6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0,    0,    0,    0,    0,  0, 1, 0,
                                          0, 0, 4, 0, 0,  0, 6, 5, 0, 0, 0xaa, 0xbb, 0xcc, 0xdd, 36, 0, 0, 0}));
  CHECK_EQ(packet(from, 0, 0, 0),
           (Buffer{6, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 5, 0, 0, 32, 0, 0, 0}));
}

TEST("options of packets are kept, with an end mark of their own") {
  const Pcapng big{true};
  const Buffer data = payload(2);
  for (const Buffer& end : {Buffer{}, big.end(), big.end() + Buffer(4, 0xee)}) {
    const Exact options(big.option(2, {0, 0, 0, 1}) + big.option(1, {'h', 'i'}) + end);
    Packet from;
    from.data = data.data();
    from.caplen = from.wirelen = 2;
    from.options = options.bytes();
    const Buffer got = packet(from, 2, 0, 0, true);
    CHECK_EQ(Buffer(got.begin() + 28, got.end()), (Buffer{data[0], data[1], 0,   0,   2, 0, 4, 0, 1, 0, 0,  0, 1, 0,
                                                          2,       0,       'h', 'i', 0, 0, 0, 0, 0, 0, 56, 0, 0, 0}));
  }
  // None of them fits: no end mark either.
  const Exact broken(Buffer{0, 1, 0xff, 0xff});
  Packet from;
  from.data = data.data();
  from.caplen = from.wirelen = 2;
  from.options = broken.bytes();
  CHECK_EQ(packet(from, 2, 0, 0, true).size(), 36u);
}

TEST("the drop count of an obsolete block becomes an option") {
  Packet from;
  from.block_drops = true;
  from.dropped = 0x0102;
  const Buffer got = packet(from, 0, 0, 0);
  CHECK_EQ(Buffer(got.begin() + 28, got.end()), (Buffer{4, 0, 8, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0}));
  from.dropped = 0;
  CHECK_EQ(packet(from, 0, 0, 0).size(), 32u);
  const Exact options(Pcapng{}.option(1, payload(5)));
  from.dropped = 0xffffffff;
  from.options = options.bytes();
  CHECK_EQ(packet(from, 0, 0, 0).size(), 32u + 12 + 12 + 4);
}

TEST("ticks of times that a clock can't hold") {
  Interface interface;
  Packet from;
  uint64_t ticks = 7;
  from.time = -1;
  CHECK(!pcapng::ticksOf(from, interface, true, &ticks));
  CHECK(!pcapng::ticksOf(from, interface, false, &ticks));
  interface.offset_seconds = -1;
  CHECK(pcapng::ticksOf(from, interface, true, &ticks));
  CHECK_EQ(ticks, 999'999'999u);
  CHECK(pcapng::ticksOf(from, interface, false, &ticks));
  CHECK_EQ(ticks, 999'999u);
  interface.offset_seconds = 1;
  from.time = 999'999'999;
  CHECK(!pcapng::ticksOf(from, interface, true, &ticks));
  // Beyond 64 bits of nanoseconds, within 64 bits of microseconds.
  from.time = 10'000'000'000'000'000;
  interface.offset_seconds = -18'446'744'073;
  CHECK(!pcapng::ticksOf(from, interface, true, &ticks));
  CHECK(pcapng::ticksOf(from, interface, false, &ticks));
  interface.offset_seconds = INT64_MIN;
  CHECK(!pcapng::ticksOf(from, interface, false, &ticks));
  // Clamped on the way in: clamped on the way out.
  from.time_clamped = true;
  CHECK(pcapng::ticksOf(from, interface, false, &ticks));
  CHECK_EQ(ticks, UINT64_MAX);
  interface.offset_seconds = INT64_MAX;
  CHECK(pcapng::ticksOf(from, interface, true, &ticks));
  CHECK_EQ(ticks, 0u);
  // Without a time: zero, whatever the offset.
  from.has_time = false;
  from.time_clamped = false;
  CHECK(pcapng::ticksOf(from, interface, true, &ticks));
  CHECK_EQ(ticks, 0u);
}

}  // namespace spillway::test
