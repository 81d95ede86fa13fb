// A reader's state as bytes: there and back, and bytes that are none.
#include "scan/state.h"

#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

bool decodes(const Buffer& bytes, ReaderState* state) {
  const Exact block(bytes);
  return decodeState(block.bytes(), state);
}

ReaderState pcapState() {
  ReaderState state;
  state.container = Container::pcap;
  state.pcap = {true, false, true, 2, 4, 0xfffffffe, 0xffff};
  return state;
}

ReaderState pcapngState(size_t interfaces) {
  ReaderState state;
  state.container = Container::pcapng;
  state.swapped = true;
  for (size_t i = 0; i < interfaces; ++i)
    state.interfaces.push_back({static_cast<uint32_t>(i),
                                0xfffffffe,
                                {i % 2 != 0, static_cast<uint8_t>(i % 128)},
                                INT64_MIN + static_cast<int64_t>(i)});
  return state;
}

}  // namespace

TEST("pcap states come back") {
  for (int flags = 0; flags < 8; ++flags) {
    ReaderState state = pcapState();
    state.pcap.swapped = flags & 1;
    state.pcap.nanos = flags & 2;
    state.pcap.modified = flags & 4;
    ReaderState back;
    CHECK(decodes(encodeState(state), &back));
    CHECK_EQ(back.container, Container::pcap);
    CHECK_EQ(back.pcap.swapped, state.pcap.swapped);
    CHECK_EQ(back.pcap.nanos, state.pcap.nanos);
    CHECK_EQ(back.pcap.modified, state.pcap.modified);
    CHECK_EQ(back.pcap.version_major, 2);
    CHECK_EQ(back.pcap.version_minor, 4);
    CHECK_EQ(back.pcap.snap_length, 0xfffffffeu);
    CHECK_EQ(back.pcap.link_type, 0xffffu);
  }
}

TEST("PCAPNG states come back") {
  for (const size_t interfaces : {0u, 1u, 2u, 300u, 65536u}) {
    const ReaderState state = pcapngState(interfaces);
    ReaderState back;
    CHECK(decodes(encodeState(state), &back));
    CHECK_EQ(back.container, Container::pcapng);
    CHECK(back.swapped);
    CHECK_EQ(back.interfaces.size(), interfaces);
    for (size_t i = 0; i < back.interfaces.size(); ++i) {
      CHECK_EQ(back.interfaces[i].link_type, state.interfaces[i].link_type);
      CHECK_EQ(back.interfaces[i].snap_length, state.interfaces[i].snap_length);
      CHECK(back.interfaces[i].resolution == state.interfaces[i].resolution);
      CHECK_EQ(back.interfaces[i].offset_seconds, state.interfaces[i].offset_seconds);
    }
  }
}

TEST("states with a byte too few or too many are none") {
  for (const ReaderState& state : {pcapState(), pcapngState(0), pcapngState(3)}) {
    const Buffer whole = encodeState(state);
    for (size_t size = 0; size < whole.size(); ++size) {
      CONTEXT("cut to " << size);
      ReaderState back;
      CHECK(!decodes(Buffer(whole.begin(), whole.begin() + static_cast<long>(size)), &back));
    }
    ReaderState back;
    CHECK(!decodes(whole + Buffer{0}, &back));
  }
}

TEST("a state can't promise interfaces that it does not bring") {
  for (const uint32_t count : {4u, 65536u, 65537u, 0x80000000u, 0xffffffffu}) {
    Buffer bytes = encodeState(pcapngState(3));
    store32(&bytes[2], count);
    ReaderState back;
    CHECK(!decodes(bytes, &back));
    CHECK(back.interfaces.size() <= 4);
  }
}

TEST("other containers have no state") {
  CHECK(encodeState({}).empty());
  for (int container = 0; container < 256; ++container) {
    if (container == 1 || container == 2) continue;
    Buffer bytes = encodeState(pcapState());
    bytes[0] = static_cast<uint8_t>(container);
    ReaderState back;
    CHECK(!decodes(bytes, &back));
    bytes = encodeState(pcapngState(2));
    bytes[0] = static_cast<uint8_t>(container);
    CHECK(!decodes(bytes, &back));
  }
}

TEST("what random bytes decode to is stable") {
  Random random(21);
  for (int round = 0; round < 50000; ++round) {
    Buffer bytes = random.bytes(random.below(60));
    if (!bytes.empty()) bytes[0] %= 4;
    if (bytes.size() > 6 && bytes[0] == 2) store32(&bytes[2], static_cast<uint32_t>((bytes.size() - 6) / 18));
    ReaderState first, second;
    if (!decodes(bytes, &first)) continue;
    const Buffer again = encodeState(first);
    CHECK(decodes(again, &second));
    CHECK_EQ(encodeState(second), again);
  }
}

}  // namespace spillway::test
