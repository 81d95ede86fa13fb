// What an index takes of the disk, on mixes of packet sizes with many flows.
#include <algorithm>

#include "capture.h"
#include "check.h"
#include "index/block_builder.h"
#include "index/segments.h"

namespace spillway::test {
namespace {

constexpr size_t kDataBytes = 64u << 20;
constexpr size_t kFlows = 94000;

// 7 : 4 : 1.
size_t imixBytes(Random& random) {
  const uint64_t share = random.below(12);
  return share < 7 ? 60 : share < 11 ? 590 : 1514;
}
size_t smallBytes(Random& random) { return 64 + random.below(37); }

struct Sizes {
  double open_percent = 0;
  double sealed_percent = 0;
  double false_blocks = 0;  // of a host that one block holds, as a share of all blocks
};

Sizes measure(size_t (*bytesOfPacket)(Random&)) {
  Random random(1);
  struct Flow {
    uint32_t client, server;
    uint16_t client_port, server_port;
  };
  std::vector<Flow> flows(kFlows);
  const uint16_t ports[] = {443, 443, 443, 443, 80, 80, 53, 22, 8080};
  for (Flow& flow : flows) {
    flow.client = 0x0a000000 + static_cast<uint32_t>(random.below(20000)) * 53;
    flow.server = 0xcb007000 + static_cast<uint32_t>(random.below(4096));
    flow.client_port = static_cast<uint16_t>(32768 + random.below(28000));
    flow.server_port = ports[random.below(std::size(ports))];
  }
  const SidecarFolder folder;
  int error = 0;
  const auto writer = SidecarWriter::create(folder / "index", 1, &error);
  const uint32_t state = writer->state({});
  BlockBuilder builder;
  builder.begin(0, state);
  uint64_t at = 24;
  Buffer bytes = frame(0, 0, 0, 0) + Buffer(1600);
  uint64_t rare_block = UINT64_MAX;
  while (at < kDataBytes) {
    // Few flows are busy: every fourth packet is of one of 20.
    Flow flow = flows[random.below(random.below(4) == 0 ? 20 : kFlows)];
    if (random.below(2) == 0) std::swap(flow.client, flow.server), std::swap(flow.client_port, flow.server_port);
    if (rare_block == UINT64_MAX && at > kDataBytes / 2) {
      flow.client = 0xc000024d;
      rare_block = writer->blocks();
    }
    const Buffer head = frame(flow.client, flow.server, flow.client_port, flow.server_port);
    std::copy(head.begin(), head.end(), bytes.begin());
    Packet packet;
    packet.data = bytes.data();
    packet.caplen = static_cast<uint32_t>(bytesOfPacket(random));
    packet.time = static_cast<Nanos>(at);
    builder.add(packet, 1);
    at += 16 + packet.caplen;
    if (!builder.full(at)) continue;
    CHECK_EQ(writer->add(builder.close(at, 0)), 0);
    builder.begin(at, state);
  }
  Sizes sizes;
  const auto percent = [&] { return 100 * static_cast<double>(contentsOf(folder / "index").size()) / at; };
  CHECK_EQ(writer->flush(), 0);
  sizes.open_percent = percent();
  CHECK_EQ(writer->seal(), 0);
  sizes.sealed_percent = percent();

  const Buffer sealed = contentsOf(folder / "index");
  std::string why;
  const auto reader = SidecarReader::open(bytesOf(sealed), &why);
  std::vector<BlockRun> runs;
  const Need rare = {KeyKind::ip4, 0xc000024d, 0xc000024d};
  CHECK(reader->candidates({{{1, {{{rare}}, false}}}, {}}, &runs, &why));
  const auto found = blocksOf(runs, reader->totals().blocks);
  CHECK(found[rare_block]);
  const auto blocks = static_cast<double>(std::count(found.begin(), found.end(), true) - 1);
  sizes.false_blocks = blocks / static_cast<double>(found.size());
  return sizes;
}

TEST("mixed packet sizes: at most 1% of the data") {
  const Sizes sizes = measure(imixBytes);
  CHECK(sizes.sealed_percent <= 1.0);
  CHECK(sizes.open_percent <= 1.05);
  CHECK(sizes.false_blocks < 0.04);
  std::printf("index of mixed packets: %.3f%% sealed, %.3f%% open; %.1f%% of blocks read in vain for a rare host\n",
              sizes.sealed_percent, sizes.open_percent, 100 * sizes.false_blocks);
}

TEST("packets of 64 to 100 bytes: at most 3.5% of the data") {
  const Sizes sizes = measure(smallBytes);
  CHECK(sizes.sealed_percent <= 3.5);
  CHECK(sizes.open_percent <= 3.6);
  CHECK(sizes.false_blocks < 0.04);
  std::printf("index of small packets: %.3f%% sealed, %.3f%% open; %.1f%% of blocks read in vain for a rare host\n",
              sizes.sealed_percent, sizes.open_percent, 100 * sizes.false_blocks);
}

}  // namespace
}  // namespace spillway::test
