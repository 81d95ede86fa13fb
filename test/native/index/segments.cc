#include "index/segments.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "capture.h"
#include "check.h"
#include "index/block_builder.h"
#include "index/keys.h"
#include "index/packets.h"

namespace spillway::test {

Buffer frame(uint32_t source, uint32_t destination, uint16_t source_port, uint16_t destination_port, uint16_t vlan,
             uint64_t mac) {
  Put put(true);
  put.u16(static_cast<uint16_t>(mac >> 32)).u32(static_cast<uint32_t>(mac)).u16(0x0200).u32(2);
  if (vlan != 0) put.u16(0x8100).u16(vlan);
  put.u16(0x0800).u32(0x45000028).u32(0).u8(64).u8(6).u16(0).u32(source).u32(destination);
  return put.u16(source_port).u16(destination_port).u64(0).u64(0).out;
}

IndexedPacket packetOf(Buffer data, Nanos time, uint32_t link_type) {
  IndexedPacket packet{std::move(data), link_type, true, time, {}};
  visitKeys(packet.data.data(), static_cast<uint32_t>(packet.data.size()), link_type,
            [&](Key key) { packet.keys.push_back(key); });
  return packet;
}

namespace {

IndexedPacket randomPacketOf(Random& random, uint32_t main_link, uint32_t spread, Nanos time) {
  if (random.below(3) == 0) {
    const uint32_t link_type = random.below(8) == 0 ? pick(random, kLinkTypePool) : main_link;
    return packetOf(randomPacket(random, link_type), time, link_type);
  }
  const auto address = [&] { return 0x0a000000u + static_cast<uint32_t>(random.below(spread)) * 53; };
  const auto port = [&] { return static_cast<uint16_t>(random.below(spread)); };
  const auto vlan = static_cast<uint16_t>(random.below(4) == 0 ? random.below(std::min<uint32_t>(spread, 4095)) : 0);
  return packetOf(frame(address(), address(), port(), port(), vlan, 0x020000000000 + random.below(spread)), time);
}

}  // namespace

Segment randomSegment(Random& random, size_t blocks, size_t most_packets, uint32_t spread) {
  Segment segment;
  segment.id = random.next();
  const uint32_t main_link = random.below(2) == 0 ? 1 : pick(random, kLinkTypePool);
  Nanos now = random.below(8) == 0 ? kNanosMin + 1000 : static_cast<Nanos>(random.below(1000)) - 500;
  for (size_t n = 0; n < blocks; ++n) {
    PacketBlock block;
    if (random.below(10) == 0) segment.states.push_back(random.bytes(1 + random.below(40)));
    block.state = random.below(3) == 0 ? random.below(segment.states.size()) : segment.states.size() - 1;
    block.describes = random.below(20) == 0;
    block.length = static_cast<uint32_t>(1 + random.below(100000));
    for (size_t packets = random.below(most_packets + 1); packets > 0; --packets) {
      now += static_cast<Nanos>(random.below(20));
      const Nanos step_back = random.below(30) == 0 ? 100 : 0;
      block.packets.push_back(randomPacketOf(random, main_link, spread, now - step_back));
      if (random.below(25) == 0) block.packets.back().has_time = false, block.packets.back().time = 0;
    }
    segment.blocks.push_back(std::move(block));
  }
  return segment;
}

SidecarFolder::SidecarFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "sidecar-test-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) fail(__FILE__, __LINE__, "no temporary folder");
  path_ = path;
}
SidecarFolder::~SidecarFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Buffer contentsOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Buffer(std::istreambuf_iterator<char>(file), {});
}

void writeContents(const std::string& path, const Buffer& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void addBlocks(const Segment& segment, size_t first, size_t last, SidecarWriter* writer,
               const std::function<bool(size_t)>& flushed) {
  BlockBuilder builder;
  for (size_t n = first; n < last; ++n) {
    const PacketBlock& block = segment.blocks[n];
    const uint32_t state = writer->state(bytesOf(segment.states[block.state]));
    builder.begin(writer->end(), state);
    if (block.describes) builder.describes();
    for (const IndexedPacket& packet : block.packets) {
      // Just so many bytes, so that reading beyond them is seen.
      const Exact data(packet.data);
      Packet to;
      to.data = data.data();
      to.caplen = static_cast<uint32_t>(data.size());
      to.has_time = packet.has_time;
      to.time = packet.time;
      builder.add(to, packet.link_type);
    }
    CHECK_EQ(writer->add(builder.close(writer->end() + block.length, static_cast<uint32_t>(n * 2654435761u))), 0);
    if (flushed(n)) CHECK_EQ(writer->flush(), 0);
  }
}

Sidecars sidecarsOf(const Segment& segment, size_t page_every) {
  const SidecarFolder folder;
  const std::string path = folder / "index";
  int error = -1;
  const auto writer = SidecarWriter::create(path, segment.id, &error);
  CHECK(writer != nullptr);
  if (!writer) return {};
  addBlocks(segment, 0, segment.blocks.size(), writer.get(), [&](size_t n) { return (n + 1) % page_every == 0; });
  CHECK_EQ(writer->flush(), 0);
  Sidecars both;
  both.open = contentsOf(path);
  CHECK_EQ(both.open.size(), writer->bytes());
  CHECK_EQ(writer->seal(), 0);
  both.sealed = contentsOf(path);
  return both;
}

std::vector<BlockEntry> wantedEntries(const Segment& segment) {
  std::vector<BlockEntry> entries;
  std::vector<Buffer> states;  // in the order in which they were first in force
  uint64_t offset = 0;
  for (size_t n = 0; n < segment.blocks.size(); ++n) {
    const PacketBlock& block = segment.blocks[n];
    BlockEntry entry;
    entry.offset = offset;
    entry.length = block.length;
    entry.crc32c = static_cast<uint32_t>(n * 2654435761u);
    entry.describes = block.describes;
    const Buffer& state = segment.states[block.state];
    const auto known = std::find(states.begin(), states.end(), state);
    entry.state = static_cast<uint32_t>(known - states.begin());
    if (known == states.end()) states.push_back(state);
    std::vector<Nanos> times;
    for (const IndexedPacket& packet : block.packets) {
      ++entry.packets;
      entry.captured_bytes += static_cast<uint32_t>(packet.data.size());
      entry.mixed |= packet.link_type != block.packets.front().link_type;
      if (packet.has_time) times.push_back(packet.time);
    }
    entry.untimed = entry.packets - static_cast<uint32_t>(times.size());
    if (!block.packets.empty() && !entry.mixed)
      entry.link_type = static_cast<uint16_t>(block.packets.front().link_type);
    if (!times.empty()) {
      entry.min_time = *std::min_element(times.begin(), times.end());
      entry.max_time = *std::max_element(times.begin(), times.end());
    }
    entries.push_back(entry);
    offset += block.length;
  }
  return entries;
}

bool wants(const IndexQuery& query, const IndexedPacket& packet) {
  const auto holds = [&](const Need& need) {
    return std::any_of(packet.keys.begin(), packet.keys.end(), [&](const Key& key) {
      return key.kind == need.kind && need.low <= key.value && key.value <= need.high;
    });
  };
  for (const auto& [link_type, needs] : query.needs) {
    if (link_type != packet.link_type) continue;
    if (needs.never) return false;
    for (const NeedClause& clause : needs.clauses)
      if (std::none_of(clause.begin(), clause.end(), holds)) return false;
  }
  if (query.spans.empty()) return true;
  return packet.has_time && std::any_of(query.spans.begin(), query.spans.end(), [&](const TimeSpan& span) {
           return span.start <= packet.time && (packet.time < span.end || span.end == kNanosMax);
         });
}

std::vector<bool> wantedBlocks(const IndexQuery& query, const Segment& segment) {
  std::vector<bool> wanted;
  for (const PacketBlock& block : segment.blocks) {
    const auto is_wanted = [&](const IndexedPacket& packet) { return wants(query, packet); };
    wanted.push_back(block.describes || std::any_of(block.packets.begin(), block.packets.end(), is_wanted));
  }
  return wanted;
}

std::vector<bool> blocksOf(const std::vector<BlockRun>& runs, size_t blocks) {
  std::vector<bool> in(blocks);
  uint64_t next = 0;
  const BlockRun* before = nullptr;
  for (const BlockRun& run : runs) {
    // In order, and neighbours joined where they are read in the same state.
    CHECK(run.blocks != 0);
    CHECK(!before || run.first_block > next || (run.first_block == next && run.state != before->state));
    before = &run;
    for (uint64_t n = 0; n < run.blocks; ++n) {
      CHECK(run.first_block + n < blocks);
      if (run.first_block + n < blocks) in[run.first_block + n] = true;
    }
    next = run.first_block + run.blocks;
  }
  return in;
}

namespace {

Need randomNeed(Random& random, const Segment& segment) {
  const PacketBlock& block = segment.blocks[random.below(segment.blocks.size())];
  Key key{static_cast<KeyKind>(1 + random.below(7)), random.next() >> random.below(64)};
  if (!block.packets.empty()) {
    const IndexedPacket& packet = block.packets[random.below(block.packets.size())];
    if (!packet.keys.empty() && random.below(5) != 0) key = packet.keys[random.below(packet.keys.size())];
  }
  switch (random.below(8)) {
    case 0:
      return {key.kind, key.value + 1, key.value + 1};
    case 1:
      return {key.kind, key.value & ~uint64_t{255}, key.value | 255};
    case 2:
      return {key.kind, key.value - std::min(key.value, random.below(70)), key.value + random.below(70)};
    case 3:
      return {key.kind, random.below(2) == 0 ? 0 : key.value, UINT64_MAX};
    default:
      return {key.kind, key.value, key.value};
  }
}

}  // namespace

IndexQuery randomQuery(Random& random, const Segment& segment) {
  IndexQuery query;
  for (size_t links = random.below(4); links > 0; --links) {
    IndexQuery::LinkNeeds of{random.below(2) == 0 ? 1 : pick(random, kLinkTypePool), {}};
    of.needs.never = random.below(20) == 0;
    for (size_t clauses = random.below(3); clauses > 0; --clauses) {
      NeedClause clause;
      for (size_t n = 1 + random.below(random.below(8) == 0 ? 80 : 3); n > 0; --n)
        clause.push_back(randomNeed(random, segment));
      of.needs.clauses.push_back(std::move(clause));
    }
    query.needs.push_back(std::move(of));
  }
  for (size_t spans = random.below(3); spans > 0; --spans) {
    const PacketBlock& block = segment.blocks[random.below(segment.blocks.size())];
    const Nanos time = block.packets.empty() ? 0 : block.packets[random.below(block.packets.size())].time;
    const Nanos start = time - static_cast<Nanos>(random.below(30));
    query.spans.push_back({start, random.below(10) == 0 ? kNanosMax : start + static_cast<Nanos>(random.below(100))});
  }
  return query;
}

std::string shown(const IndexQuery& query) {
  std::ostringstream to;
  for (const auto& [link_type, needs] : query.needs) {
    to << "link type " << link_type << (needs.never ? " never" : "");
    for (const NeedClause& clause : needs.clauses) {
      to << " (";
      for (const Need& need : clause) to << ' ' << static_cast<int>(need.kind) << ':' << need.low << '-' << need.high;
      to << " )";
    }
    to << "; ";
  }
  for (const TimeSpan& span : query.spans) to << '[' << span.start << ", " << span.end << ") ";
  return to.str();
}

}  // namespace spillway::test
