// Tags go back before the program runs, and the cut comes after it.
#include "capture/shaper.h"

#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

namespace {

Buffer programOf(const std::vector<cbpf::Insn>& insns) {
  Buffer bytes;
  for (const cbpf::Insn& insn : insns) {
    const size_t at = bytes.size();
    bytes.resize(at + 8);
    store16(bytes.data() + at, insn.code);
    bytes[at + 2] = insn.jt;
    bytes[at + 3] = insn.jf;
    store32(bytes.data() + at + 4, insn.k);
  }
  return bytes;
}

std::unique_ptr<Program> verified(const std::vector<cbpf::Insn>& insns) {
  std::string why;
  auto program = Program::verify(bytesOf(programOf(insns)), &why);
  CHECK_EQ(why, std::string());
  return program;
}

Buffer shape(const Program* program, uint32_t snap, const CapturedPacket& packet) {
  const Shaper shaper(program, snap);
  // A block of just the bound, so that a byte beyond it is seen.
  const std::unique_ptr<uint8_t[]> to(new uint8_t[shaper.bound(packet)]);
  const size_t size = shaper.put(to.get(), packet);
  return {to.get(), to.get() + size};
}

struct Shaped {
  Buffer data;
  uint32_t wirelen = 0;
  Nanos time = 0;
};

Shaped read(const Buffer& block) {
  PcapngReader reader;
  Interface interface;
  interface.resolution = {false, 9};
  reader.restore(false, {interface});
  Packet packet;
  if (reader.next(block.data(), block.size(), &packet) != Next::packet) return {};
  CHECK_EQ(packet.record.size, block.size());
  return {{packet.data, packet.data + packet.caplen}, packet.wirelen, packet.time};
}

CapturedPacket frame(const Exact& data) {
  CapturedPacket packet;
  packet.data = data.data();
  packet.caplen = static_cast<uint32_t>(data.size());
  packet.wirelen = packet.caplen + 100;
  packet.time = 1'700'000'000'123'456'789;
  return packet;
}

Buffer counting(size_t size) {
  Buffer bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i);
  return bytes;
}

}  // namespace

TEST("packets come out as they went in") {
  for (size_t size = 0; size < 70; ++size) {
    const Exact data(counting(size));
    const Shaped shaped = read(shape(nullptr, 1000, frame(data)));
    CHECK_EQ(shaped.data, counting(size));
    CHECK_EQ(shaped.wirelen, size + 100);
    CHECK_EQ(shaped.time, 1'700'000'000'123'456'789);
  }
}

TEST("a tag is put back between addresses and type") {
  for (size_t size = 0; size < 70; ++size) {
    const Exact data(counting(size));
    CapturedPacket packet = frame(data);
    packet.tagged = true;
    packet.tag_protocol = 0x88a8;
    packet.tag_control = 0xe123;
    const Shaped shaped = read(shape(nullptr, 1000, packet));
    Buffer want = counting(size);
    if (size >= 12) {
      const Buffer tag = {0x88, 0xa8, 0xe1, 0x23};
      want.insert(want.begin() + 12, tag.begin(), tag.end());
    }
    CHECK_EQ(shaped.data, want);
    CHECK_EQ(shaped.wirelen, want.size() + 100);
  }
}

TEST("the program sees the tag, all bytes and the length on the wire") {
  const Exact data(counting(60));
  CapturedPacket tagged = frame(data);
  tagged.tagged = true;
  tagged.tag_protocol = 0x8100;
  tagged.tag_control = 5;
  // ether[12:2] = 0x8100
  const auto vlan = verified(
      {{cbpf::kLdHAbs, 0, 0, 12}, {cbpf::kJeqK, 0, 1, 0x8100}, {cbpf::kRetK, 0, 0, 1}, {cbpf::kRetK, 0, 0, 0}});
  CHECK(!shape(vlan.get(), 20, tagged).empty());
  CHECK(shape(vlan.get(), 20, frame(data)).empty());
  // The last byte, which the snap length cuts off.
  const auto last =
      verified({{cbpf::kLdBAbs, 0, 0, 63}, {cbpf::kJeqK, 0, 1, 59}, {cbpf::kRetK, 0, 0, 1}, {cbpf::kRetK, 0, 0, 0}});
  CHECK_EQ(read(shape(last.get(), 20, tagged)).data.size(), 20u);
  CHECK(shape(last.get(), 20, frame(data)).empty());
  // len = 164, and 160 without a tag
  const auto length =
      verified({{cbpf::kLdLen, 0, 0, 0}, {cbpf::kJeqK, 0, 1, 164}, {cbpf::kRetK, 0, 0, 1}, {cbpf::kRetK, 0, 0, 0}});
  CHECK(!shape(length.get(), 1000, tagged).empty());
  CHECK(shape(length.get(), 1000, frame(data)).empty());
}

TEST("the snap length cuts, with and without a tag") {
  const Exact data(counting(60));
  for (uint32_t snap = 1; snap < 70; ++snap) {
    CHECK_EQ(read(shape(nullptr, snap, frame(data))).data.size(), std::min(snap, 60u));
    CapturedPacket tagged = frame(data);
    tagged.tagged = true;
    const Shaped shaped = read(shape(nullptr, snap, tagged));
    CHECK_EQ(shaped.data.size(), std::min(snap, 64u));
    CHECK_EQ(shaped.wirelen, 164u);
  }
}

}  // namespace spillway::test
