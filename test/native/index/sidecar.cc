// From packets to a sidecar and back: no block that holds a wanted packet is left out, in either form, and the entries
// say what the blocks hold.
#include <cstdlib>

#include "base/crc32c.h"
#include "check.h"
#include "index/segments.h"
#include "index/sidecar_format.h"

namespace spillway::test {
namespace {

std::vector<BlockRun> ask(SidecarReader* reader, const IndexQuery& query) {
  std::vector<BlockRun> runs;
  std::string why;
  CHECK(reader->candidates(query, &runs, &why));
  CHECK_EQ(why, "");
  return runs;
}

void checkTotals(const SidecarTotals& totals, const std::vector<BlockEntry>& entries) {
  SidecarTotals want;
  for (const BlockEntry& entry : entries) want.add(entry);
  CHECK(totals == want);
  uint64_t packets = 0;
  for (const BlockEntry& entry : entries) packets += entry.packets;
  CHECK_EQ(totals.packets, packets);
  CHECK_EQ(totals.end, entries.empty() ? 0 : entries.back().end());
}

// What runs say besides their blocks.
void checkRuns(const std::vector<BlockRun>& runs, const std::vector<BlockEntry>& entries) {
  for (const BlockRun& run : runs) {
    BlockRun want;
    want.first_block = run.first_block;
    want.blocks = run.blocks;
    want.offset = entries[run.first_block].offset;
    want.state = entries[run.first_block].state;
    for (uint64_t n = run.first_block; n < run.first_block + run.blocks; ++n) {
      want.length += entries[n].length;
      want.packets += entries[n].packets;
      want.untimed += entries[n].untimed;
      want.captured_bytes += entries[n].captured_bytes;
    }
    CHECK(run == want);
  }
}

// Returns how many blocks were left out.
size_t checkQuery(const IndexQuery& query, const Segment& segment, const std::vector<BlockEntry>& entries,
                  SidecarReader* open, SidecarReader* sealed) {
  CONTEXT(shown(query));
  const auto runs = ask(sealed, query);
  CHECK(ask(open, query) == runs);
  checkRuns(runs, entries);
  const auto got = blocksOf(runs, entries.size());
  const auto want = wantedBlocks(query, segment);
  size_t lost = 0, left_out = 0;
  for (size_t n = 0; n < entries.size(); ++n) {
    lost += want[n] && !got[n] ? 1 : 0;
    left_out += got[n] ? 0 : 1;
  }
  CHECK_EQ(lost, 0);
  return left_out;
}

// Returns how many blocks were left out by all queries together.
size_t checkSegment(Random& random, const Segment& segment, size_t page_every, int queries) {
  const Sidecars files = sidecarsOf(segment, page_every);
  const auto want = wantedEntries(segment);
  std::string why;
  const Exact open_bytes(files.open), sealed_bytes(files.sealed);
  const auto open = SidecarReader::open(open_bytes.bytes(), &why);
  const auto sealed = SidecarReader::open(sealed_bytes.bytes(), &why);
  CHECK_EQ(why, "");
  CHECK(open != nullptr && sealed != nullptr);
  if (!open || !sealed) return 0;
  CHECK(!open->sealed() && !open->torn());
  CHECK(sealed->sealed() && !sealed->torn());
  for (SidecarReader* reader : {open.get(), sealed.get()}) {
    CHECK_EQ(reader->segmentId(), segment.id);
    std::vector<BlockEntry> entries;
    CHECK(reader->entries(&entries, &why));
    CHECK(entries == want);
    checkTotals(reader->totals(), want);
    for (size_t n = 0; n < entries.size(); ++n)
      CHECK(copyOf(reader->state(entries[n].state)) == segment.states[segment.blocks[n].state]);
  }
  size_t left_out = checkQuery({}, segment, want, open.get(), sealed.get());
  CHECK_EQ(left_out, 0);
  for (int n = 0; n < queries; ++n)
    left_out += checkQuery(randomQuery(random, segment), segment, want, open.get(), sealed.get());
  return left_out;
}

// More of it: SPILLWAY_SIDECAR_ROUNDS=1000.
TEST("no block with a wanted packet is left out") {
  const char* more = std::getenv("SPILLWAY_SIDECAR_ROUNDS");
  const int rounds = more ? std::atoi(more) : 40;
  size_t left_out = 0;
  for (int round = 0; round < rounds; ++round) {
    CONTEXT("round " << round);
    Random random(static_cast<uint64_t>(round));
    const size_t blocks = 1 + random.below(random.below(2) == 0 ? 12 : 200);
    const size_t most_packets = 1 + random.below(40);
    const uint32_t spread = 1u << random.below(17);
    const Segment segment = randomSegment(random, blocks, most_packets, spread);
    left_out += checkSegment(random, segment, 1 + random.below(20), 25);
  }
  // The index is good for something.
  CHECK(left_out > static_cast<size_t>(rounds) * 200);
}

TEST("a segment of several groups") {
  Random random(1);
  const size_t blocks = 2 * sidecar::kGroupBlocks + 77;
  const Segment segment = randomSegment(random, blocks, 3, 3000);
  CHECK(checkSegment(random, segment, 100, 40) > 0);
}

TEST("a segment of exactly one group") {
  Random random(2);
  const Segment segment = randomSegment(random, sidecar::kGroupBlocks, 2, 100);
  checkSegment(random, segment, sidecar::kGroupBlocks + 1, 10);
}

TEST("no block at all") {
  const Sidecars files = sidecarsOf({}, 1);
  for (const Buffer& bytes : {files.open, files.sealed}) {
    std::string why;
    const auto reader = SidecarReader::open(bytesOf(bytes), &why);
    CHECK(reader != nullptr);
    if (!reader) continue;
    CHECK(ask(reader.get(), {}).empty());
    CHECK(reader->totals() == SidecarTotals{});
  }
}

// A segment of `blocks` blocks with a packet each, made by `packet`.
Segment segmentOf(size_t blocks, const std::function<Buffer(size_t)>& packet) {
  Segment segment;
  for (size_t n = 0; n < blocks; ++n)
    segment.blocks.push_back({{packetOf(packet(n), static_cast<Nanos>(n))}, false, 0, 10});
  return segment;
}

struct Opened {
  Sidecars files;
  std::unique_ptr<SidecarReader> open, sealed;
};
Opened openBoth(const Segment& segment) {
  Opened both;
  both.files = sidecarsOf(segment, 50);
  std::string why;
  both.open = SidecarReader::open(bytesOf(both.files.open), &why);
  both.sealed = SidecarReader::open(bytesOf(both.files.sealed), &why);
  CHECK_EQ(why, "");
  return both;
}

IndexQuery queryOf(std::vector<NeedClause> clauses) { return {{{1, {std::move(clauses), false}}}, {}}; }
Need one(KeyKind kind, uint64_t value) { return {kind, value, value}; }

size_t found(SidecarReader* reader, const IndexQuery& query) {
  size_t blocks = 0;
  for (const BlockRun& run : ask(reader, query)) blocks += run.blocks;
  return blocks;
}

TEST("needs are looked up by kind, exactly where blocks are few") {
  // Block n: 10.0.n.1 -> 10.0.0.2, ports 1000 + n -> 80, VLAN n + 1 in even blocks, MAC n.
  const Segment segment = segmentOf(40, [](size_t n) {
    return frame(0x0a000001 + static_cast<uint32_t>(n << 8), 0x0a000002, static_cast<uint16_t>(1000 + n), 80,
                 static_cast<uint16_t>(n % 2 == 0 ? n + 1 : 0), 0x020000000000 + n);
  });
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    const auto count = [&](std::vector<NeedClause> clauses) { return found(reader, queryOf(std::move(clauses))); };
    CHECK_EQ(count({{one(KeyKind::ip4, 0x0a000701)}}), 1);
    CHECK_EQ(count({{one(KeyKind::ip4, 0x0a000702)}}), 0);
    CHECK_EQ(count({{{KeyKind::ip4, 0x0a000700, 0x0a0009ff}}}), 3);
    CHECK_EQ(count({{one(KeyKind::port, 1007), one(KeyKind::port, 1009), one(KeyKind::port, 2000)}}), 2);
    CHECK_EQ(count({{one(KeyKind::port, 1007)}, {one(KeyKind::ip4, 0x0a000801)}}), 0);
    CHECK_EQ(count({{{KeyKind::port, 0, 1002}, {KeyKind::port, 1030, 65535}}}), 40);  // port 80
    CHECK_EQ(count({{{KeyKind::port, 1000, 1002}, {KeyKind::port, 1030, 65535}}}), 13);
    CHECK_EQ(count({{one(KeyKind::port, 80)}}), 40);
    CHECK_EQ(count({{one(KeyKind::port, 65536 + 80)}}), 0);
    CHECK_EQ(count({{one(KeyKind::ip4, UINT64_C(0x10a000002))}}), 0);
    CHECK_EQ(count({{one(KeyKind::ip6, 5)}}), 0);
    CHECK_EQ(count({{one(KeyKind::vlan, 7)}}), 1);
    CHECK_EQ(count({{{KeyKind::vlan, 7, 12}}}), 3);
    CHECK_EQ(count({{{KeyKind::vlan, 0, UINT64_MAX}}}), 20);
    CHECK_EQ(count({{one(KeyKind::vlan, (UINT64_C(1) << 24) + 7)}}), 0);
    CHECK_EQ(count({{one(KeyKind::ether_type, 0x8100)}}), 20);
    CHECK_EQ(count({{one(KeyKind::ether_type, 0x0800)}}), 40);
    CHECK_EQ(count({{one(KeyKind::ether_type, 0x86dd)}}), 0);
    CHECK_EQ(count({{one(KeyKind::ip_protocol, 6)}}), 40);
    CHECK_EQ(count({{one(KeyKind::ip_protocol, 17)}}), 0);
    CHECK_EQ(count({{{KeyKind::ip_protocol, 7, 255}}}), 0);
    // A MAC address is known of all blocks together.
    CHECK_EQ(count({{one(KeyKind::mac, 0x020000000005)}}), 40);
    CHECK_EQ(count({{one(KeyKind::mac, 0x02aa00000005)}}), 0);
    CHECK_EQ(found(reader, {{{1, {{}, true}}}, {}}), 0);
    // Needs of another link type say nothing of these packets.
    CHECK_EQ(found(reader, {{{101, {{}, true}}}, {}}), 40);
    CHECK_EQ(found(reader, {{{0x10001, {{}, true}}}, {}}), 40);
    // Two filters of one link type: both hold.
    IndexQuery two = queryOf({{one(KeyKind::port, 1007), one(KeyKind::port, 1008)}});
    two.needs.push_back({1, {{{one(KeyKind::ip4, 0x0a000801)}}, false}});
    CHECK_EQ(found(reader, two), 1);
  }
}

// Whoever changes what stands in a sidecar must raise kSidecarVersion, and then these.
TEST("sidecars are those that this version writes") {
  const Segment segment = segmentOf(40, [](size_t n) {
    return frame(0x0a000001 + static_cast<uint32_t>(n << 8), 2, static_cast<uint16_t>(1000 + n), 80,
                 static_cast<uint16_t>(n % 2), 0x020000000000 + n);
  });
  const Sidecars files = sidecarsOf(segment, 7);
  CHECK_EQ(sidecar::kSidecarVersion, 1);
  CHECK_EQ(files.open.size(), 5883);
  CHECK_EQ(crc32c(files.open.data(), files.open.size()), 4131682501u);
  CHECK_EQ(files.sealed.size(), 5191);
  CHECK_EQ(crc32c(files.sealed.data(), files.sealed.size()), 2595845074u);
}

TEST("nothing is left out where there are more values than are kept") {
  // One block with 40 EtherTypes, and one with one.
  Segment segment = segmentOf(1, [](size_t) { return frame(1, 2, 3, 4); });
  segment.blocks.push_back({{}, false, 0, 10});
  for (uint16_t n = 0; n < 40; ++n)
    segment.blocks.back().packets.push_back(
        packetOf(Buffer(12, 7) + Buffer{static_cast<uint8_t>(0x70 + n / 16), static_cast<uint8_t>(n)}, 1));
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::ether_type, 0x7000 + 5)}})), 1);
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::ether_type, 0x7200 + 39)}})), 1);
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::ether_type, 0x0800)}})), 2);
  }
}

TEST("more EtherTypes in a group than have rows") {
  const Segment segment = segmentOf(400, [](size_t n) {
    return Buffer(12, 7) + Buffer{static_cast<uint8_t>(0x70 + n / 256), static_cast<uint8_t>(n)};
  });
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::ether_type, 0x7000)}})), 1 + 400 - sidecar::kMaxGroupEtherTypes);
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::ether_type, 0x718f)}})), 400 - sidecar::kMaxGroupEtherTypes);
  }
}

TEST("more addresses than a list takes: one is looked up, a net is everywhere") {
  Segment segment;
  for (uint32_t n = 0; n < 70; ++n) {
    segment.blocks.push_back({{}, false, 0, 10});
    for (uint32_t m = 0; m < 500; ++m)
      segment.blocks.back().packets.push_back(
          packetOf(frame(0x0a000000 + n * 1000 + m, 0x14000000 + n * 1000 + m, 1, 2), 0));
  }
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    const size_t one_host = found(reader, queryOf({{one(KeyKind::ip4, 0x0a000000 + 33 * 1000 + 4)}}));
    CHECK(one_host >= 1 && one_host < 15);
    CHECK_EQ(found(reader, queryOf({{{KeyKind::ip4, 0x0a000000, 0x0a0000ff}}})), 70);
    CHECK_EQ(found(reader, queryOf({{{KeyKind::ip4, 0xaa000000, 0xaa0000ff}}})), 70);
    const size_t few = found(reader, queryOf({{{KeyKind::ip4, 0xaa000000, 0xaa000001}}}));
    CHECK(few < 20);
  }
}

TEST("a need of more look-ups than are worth it is held everywhere") {
  const Segment segment =
      segmentOf(80, [](size_t n) { return frame(0x0a000001, 2, static_cast<uint16_t>(1000 + n), 80); });
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    CHECK_EQ(found(reader, queryOf({{{KeyKind::port, 1000, 1000 + kMaxAlternatives - 1}}})), kMaxAlternatives);
    CHECK_EQ(found(reader, queryOf({{{KeyKind::port, 1000, 1000 + kMaxAlternatives}}})), 80);
    CHECK_EQ(found(reader, queryOf({{one(KeyKind::port, 1000), {KeyKind::port, 1001, 1000 + kMaxAlternatives}}})), 80);
    // Where nothing is there to be looked up, the width of a range does not matter.
    CHECK_EQ(found(reader, queryOf({{{KeyKind::port, 2000, 65535}}})), 0);
  }
}

TEST("more MAC addresses than a list takes: each may be anywhere") {
  Segment segment;
  for (uint64_t n = 0; n < 4; ++n) {
    segment.blocks.push_back({{}, false, 0, 10});
    for (uint64_t m = 0; m < 20000; ++m)
      segment.blocks.back().packets.push_back(packetOf(frame(1, 2, 3, 4, 0, 0x020000000000 + n * 20000 + m), 0));
  }
  const Opened both = openBoth(segment);
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    for (const uint64_t n : {UINT64_C(7), UINT64_C(79999), UINT64_C(1000000)})
      CHECK_EQ(found(reader, queryOf({{one(KeyKind::mac, 0x020000000000 + n)}})), 4);
  }
}

TEST("blocks of other link types, of several, and without packets") {
  Segment segment = segmentOf(2, [](size_t) { return frame(1, 2, 3, 4); });
  segment.blocks.push_back({{packetOf(Buffer(30, 1), 0, 105)}, false, 0, 10});
  segment.blocks.push_back({{packetOf(Buffer(30, 1), 0, 105), packetOf(frame(1, 2, 3, 4), 0)}, false, 0, 10});
  segment.blocks.push_back({{}, false, 0, 10});
  segment.blocks.push_back({{packetOf(frame(1, 2, 3, 4), 0)}, true, 0, 10});
  const Opened both = openBoth(segment);
  const IndexQuery absent = queryOf({{one(KeyKind::ip4, 99)}});
  for (SidecarReader* reader : {both.open.get(), both.sealed.get()}) {
    const auto in = blocksOf(ask(reader, absent), 6);
    CHECK(in == std::vector<bool>({false, false, true, true, true, true}));
  }
}

}  // namespace
}  // namespace spillway::test
