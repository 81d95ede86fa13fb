// What a block builder gives for a block, against its packets' keys.
#include "index/block_builder.h"

#include <algorithm>
#include <set>

#include "check.h"
#include "index/key_list.h"
#include "index/segments.h"

namespace spillway::test {
namespace {

Packet packetAt(const Buffer& data, Nanos time, bool has_time = true) {
  Packet packet;
  packet.data = data.data();
  packet.caplen = static_cast<uint32_t>(data.size());
  packet.time = has_time ? time : 0;
  packet.has_time = has_time;
  return packet;
}

const ClosedBlock& build(BlockBuilder* builder, const std::vector<IndexedPacket>& packets) {
  builder->begin(100, 3);
  for (const IndexedPacket& packet : packets)
    builder->add(packetAt(packet.data, packet.time, packet.has_time), packet.link_type);
  return builder->close(200, 5);
}

void checkBlock(const ClosedBlock& block, const std::vector<IndexedPacket>& packets) {
  std::set<uint64_t> protocols, vlans, ether_types, filtered;
  std::array<std::set<uint32_t>, kListedKinds> listed;
  for (const IndexedPacket& packet : packets) {
    for (const Key& key : packet.keys) {
      const auto list = [&](Listed kind) { listed[static_cast<size_t>(kind)].insert(listedValue(key)); };
      if (key.kind == KeyKind::ip_protocol) protocols.insert(key.value);
      if (key.kind == KeyKind::vlan) vlans.insert(key.value);
      if (key.kind == KeyKind::ether_type) ether_types.insert(key.value);
      if (key.kind == KeyKind::mac) list(Listed::mac);
      if (key.kind == KeyKind::ip4) list(Listed::ip4);
      if (key.kind == KeyKind::ip6) list(Listed::ip6);
      if (key.kind == KeyKind::port) list(Listed::port);
      if (key.kind != KeyKind::ip4 && key.kind != KeyKind::ip6 && key.kind != KeyKind::port) continue;
      const uint64_t hash = bloom::hashKey(key.kind, key.value);
      filtered.insert(hash);
      CHECK(bloom::mayHold(block.filter, hash));
    }
  }
  for (uint32_t p = 0; p < 256; ++p)
    CHECK_EQ((block.small.ip_protocols[p / 64] >> (p % 64) & 1) != 0, protocols.count(p) != 0);
  CHECK_EQ(block.small.vlans.size(), vlans.size());
  CHECK(std::set<uint64_t>(block.small.vlans.begin(), block.small.vlans.end()) == vlans);
  CHECK_EQ(block.small.any_ether_type, ether_types.size() > kMaxBlockEtherTypes);
  CHECK_EQ(block.small.ether_types.size(), std::min(ether_types.size(), kMaxBlockEtherTypes));
  for (const uint16_t type : block.small.ether_types) CHECK(ether_types.count(type) != 0);
  for (size_t kind = 0; kind < kListedKinds; ++kind)
    CHECK(std::set<uint32_t>(block.listed[kind].begin(), block.listed[kind].end()) == listed[kind]);
  // At least 8 bits a key, and no more than a few keys counted twice make it.
  CHECK(block.filter.size >= std::min(filtered.size(), bloom::kMaxBytes));
  CHECK(block.filter.size <= 64 + filtered.size() * 5 / 4);
  CHECK_EQ(block.filter.size, bloom::bytesOf(block.filter_class));
  CHECK_EQ(block.filter_class == 0, filtered.empty());
}

TEST("a block's index is about its packets, and about no other block's") {
  Random random(1);
  BlockBuilder builder;
  for (int n = 0; n < 150; ++n) {
    CONTEXT("block " << n);
    const uint32_t spread = 1u << random.below(17);
    const Segment segment = randomSegment(random, 1, random.below(300), spread);
    checkBlock(build(&builder, segment.blocks[0].packets), segment.blocks[0].packets);
  }
}

TEST("addresses and ports of 0 and 1, and the largest") {
  BlockBuilder builder;
  for (const uint32_t address : {0u, 1u, 0xffffffffu}) {
    for (const uint16_t port : {0, 1, 0xffff}) {
      const std::vector<IndexedPacket> packets = {packetOf(frame(address, 7, port, 9), 0)};
      checkBlock(build(&builder, packets), packets);
    }
  }
}

TEST("a block of many small packets") {
  Random random(2);
  std::vector<IndexedPacket> packets;
  for (uint32_t n = 0; n < 6000; ++n)
    packets.push_back(packetOf(frame(static_cast<uint32_t>(random.next()), static_cast<uint32_t>(random.next()),
                                     static_cast<uint16_t>(random.next()), 80),
                               0));
  BlockBuilder builder;
  const ClosedBlock& block = build(&builder, packets);
  checkBlock(block, packets);
  CHECK_EQ(block.filter.size, bloom::kMaxBytes);
}

TEST("a block's entry") {
  const Buffer data(20, 1);
  BlockBuilder builder;
  builder.begin(1000, 4);
  CHECK(!builder.full(1000));
  CHECK(!builder.full(1000 + kBlockBytes - 1));
  CHECK(builder.full(1000 + kBlockBytes));
  builder.add(packetAt(data, 50), 105);
  builder.add(packetAt(data, 0, false), 105);
  builder.add(packetAt(data, -70), 105);
  builder.add(packetAt(data, 20), 105);
  BlockEntry want{1000, 500, 4, 1, 80, -70, 50, 77, 4, 105, false, false};
  CHECK(builder.close(1500, 77).entry == want);

  builder.begin(1500, 0);
  builder.add(packetAt(data, 0, false), 105);
  builder.add(packetAt(data, 9), 1);
  builder.describes();
  want = {1500, 10, 2, 1, 40, 9, 9, 0, 0, 0, true, true};
  CHECK(builder.close(1510, 0).entry == want);

  builder.begin(1510, 0);
  CHECK(builder.close(1520, 0).entry == (BlockEntry{1510, 10, 0, 0, 0, 0, 0, 0, 0, 0, false, false}));
  CHECK(!builder.close(1520, 0).entry.timed());

  // A link type beyond 16 bits is none that a file could name.
  builder.begin(1520, 0);
  builder.add(packetAt(data, 9), 0x10001);
  CHECK(builder.close(1530, 0).entry.mixed);
}

}  // namespace
}  // namespace spillway::test
