// Interface statistics blocks, byte by byte as the draft has them (section 4.6).
#include "format/pcapng_statistics.h"

#include "buffer.h"
#include "capture.h"
#include "check.h"
#include "drive.h"

namespace spillway::test {
namespace {

Buffer written(const pcapng::Statistics& statistics) {
  Buffer block(pcapng::statisticsBytes(statistics));
  CHECK_EQ(pcapng::putStatistics(block.data(), statistics), block.size());
  return block;
}

constexpr uint64_t kTime = 0x0102030405060708;

// A timestamp: the high half first.
Buffer ticks(uint64_t value) {
  return Put(false).u32(static_cast<uint32_t>(value >> 32)).u32(static_cast<uint32_t>(value)).out;
}
Buffer number(uint64_t value) { return Put(false).u64(value).out; }

}  // namespace

TEST("a block that tells nothing has no options") {
  pcapng::Statistics statistics;
  statistics.interface = 3;
  statistics.time = kTime;
  const Buffer block = written(statistics);
  CHECK_EQ(block, Pcapng{}.block(5, Put(false).u32(3).raw(ticks(kTime)).out));
}

TEST("what is told stands in the draft's options, what is not told in none") {
  const Pcapng ng;
  // Which of them are told.
  for (uint32_t told = 1; told < 256; ++told) {
    CONTEXT("told " << told);
    pcapng::Statistics statistics;
    statistics.time = 9;
    Buffer options;
    const auto given = [&](uint32_t bit) { return (told & bit) != 0; };
    const auto put = [&](uint32_t bit, uint16_t code, std::optional<uint64_t>* to, uint64_t value, bool is_time) {
      if (!given(bit)) return;
      *to = value;
      options = options + ng.option(code, is_time ? ticks(value) : number(value));
    };
    if (given(1)) {
      statistics.comment = "caf\xc3\xa9!";
      options = options + ng.option(1, {'c', 'a', 'f', 0xc3, 0xa9, '!'});
    }
    put(2, 2, &statistics.start, kTime, true);
    put(4, 3, &statistics.end, kTime + 1, true);
    put(8, 4, &statistics.received, UINT64_MAX, false);
    put(16, 5, &statistics.dropped, 5, false);
    put(32, 6, &statistics.accepted, 0, false);
    put(64, 7, &statistics.os_dropped, 1ull << 40, false);
    put(128, 8, &statistics.delivered, 8, false);
    CHECK_EQ(written(statistics), ng.block(5, Put(false).u32(0).raw(ticks(9)).raw(options).raw(ng.end()).out));
  }
}

TEST("a comment of any length is padded, and readers skip the block") {
  const Pcapng ng;
  for (const size_t length : {1u, 2u, 3u, 4u, 5u, 65535u}) {
    const std::string comment(length, 'x');
    pcapng::Statistics statistics;
    statistics.comment = comment;
    statistics.dropped = 1;
    const Buffer block = written(statistics);
    CHECK_EQ(block.size(), 24 + 4 + (length + 3) / 4 * 4 + 12 + 4);
    const MemoryFile file(ng.section() + ng.interface(1) + block + ng.enhanced(0, 1, payload(4)));
    const Outcome read = scanFile(file, selectAll(Format::none));
    CHECK_EQ(read.status, Status::done);
    CHECK_EQ(read.counts.blocks_skipped, 1u);
    CHECK_EQ(read.counts.packets_read, 1u);
  }
}

}  // namespace spillway::test
