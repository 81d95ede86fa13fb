// The PCAPNG reader on files that lie: lengths, trailers, versions, interfaces; and guessing a boundary.
#include <algorithm>

#include "capture.h"
#include "check.h"
#include "format/pcapng_reader.h"
#include "format/walk.h"

namespace spillway::test {
namespace {

// A block with any length fields.
Buffer framed(const Pcapng& ng, uint32_t type, uint32_t size, uint32_t trailer, const Buffer& body) {
  return Put(ng.big).u32(type).u32(size).raw(body).u32(trailer).out;
}

}  // namespace

TEST("lengths that no block can have") {
  const uint32_t types[] = {pcapng::kInterfaceDescription, pcapng::kObsoletePacket, pcapng::kSimplePacket,
                            pcapng::kEnhancedPacket, 77};
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    for (const uint32_t type : types) {
      for (const uint32_t size :
           {0u, 1u, 4u, 8u, 11u, 13u, 14u, 15u, 33u, 0x80000000u, 0xfffffffcu, 0xffffffffu, (16u << 20) + 4}) {
        CONTEXT("type " << type << ", size " << size << (big ? " big" : " little"));
        const Walked walk(ng.section() + ng.interface(1) + framed(ng, type, size, size, Buffer(64)));
        CHECK_EQ(walk.end, Next::damage);
        CHECK(walk.reader.damageText().find("type " + std::to_string(type) + " says it is " + std::to_string(size)) !=
              std::string::npos);
      }
      // The largest that is read on: one byte less and the end of the file is what is wrong.
      CHECK_EQ(Walked(ng.section() + ng.interface(1) + framed(ng, type, 16u << 20, 16u << 20, Buffer(64))).end,
               Next::need_more);
    }
    for (const uint32_t size : {0u, 12u, 24u, 29u, 0x80000000u, 0xffffffffu}) {
      CONTEXT("section of size " << size);
      const Buffer body = Put(big).u32(pcapng::kByteOrderMagic).u16(1).u16(0).u64(UINT64_MAX).raw(Buffer(32)).out;
      CHECK_EQ(Walked(framed(ng, pcapng::kSectionHeader, size, size, body)).end, Next::damage);
    }
  }
}

TEST("blocks too short for what they are") {
  const struct {
    uint32_t type;
    size_t body;  // one word less than it takes
  } cases[] = {{pcapng::kInterfaceDescription, 4},
               {pcapng::kObsoletePacket, 16},
               {pcapng::kSimplePacket, 0},
               {pcapng::kEnhancedPacket, 16}};
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    for (const auto& one : cases) {
      CONTEXT("type " << one.type);
      for (size_t body = 0; body <= one.body; body += 4)
        CHECK_EQ(Walked(ng.section() + ng.interface(1) + ng.block(one.type, Buffer(body))).end, Next::damage);
      CHECK_EQ(Walked(ng.section() + ng.interface(1) + ng.block(one.type, Buffer(one.body + 4))).end, Next::need_more);
    }
  }
}

TEST("two lengths that differ") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    for (const uint32_t type : {1u, 2u, 3u, 4u, 6u, 99u}) {
      const Walked walk(ng.section() + ng.interface(1) + framed(ng, type, 44, 40, Buffer(32)));
      CHECK_EQ(walk.end, Next::damage);
      CHECK(walk.reader.damageText().find("44 and 40") != std::string::npos);
    }
    Buffer section = ng.section();
    section.back() ^= 1;
    section[section.size() - 4] ^= 1;
    CHECK_EQ(Walked(section).end, Next::damage);
  }
}

TEST("captured lengths that no block has room for") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    const struct {
      uint32_t caplen;
      size_t data;
      bool whole;
    } cases[] = {{0, 0, true},           {1, 0, false},         {4, 4, true},           {5, 4, false},
                 {5, 8, true},           {8, 4, false},         {0x80000000, 8, false}, {0xffffffff, 8, false},
                 {0xfffffffd, 0, false}, {0xfffffffc, 4, false}};
    for (const auto& one : cases) {
      CONTEXT("caplen " << one.caplen << " in " << one.data);
      const Buffer head = ng.section() + ng.interface(1);
      const Walked enhanced(head + ng.enhanced(0, 1, one.caplen, one.caplen, payload(one.data)));
      CHECK_EQ(enhanced.end, one.whole ? Next::need_more : Next::damage);
      const Walked obsolete(head + ng.obsolete(0, 0, 1, one.caplen, one.caplen, payload(one.data)));
      CHECK_EQ(obsolete.end, one.whole ? Next::need_more : Next::damage);
      if (!one.whole) CHECK(enhanced.reader.damageText().find(std::to_string(one.caplen)) != std::string::npos);
    }
  }
}

TEST("interfaces that are not described") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    CHECK_EQ(Walked(ng.section() + ng.enhanced(0, 1, payload(4))).end, Next::damage);
    CHECK_EQ(Walked(ng.section() + ng.simple(4, payload(4))).end, Next::damage);
    CHECK_EQ(Walked(ng.section() + ng.obsolete(0, 0, 1, 4, 4, payload(4))).end, Next::damage);
    CHECK_EQ(Walked(ng.section() + ng.interface(1) + ng.enhanced(1, 1, payload(4))).end, Next::damage);
    CHECK_EQ(Walked(ng.section() + ng.interface(1) + ng.enhanced(0xffffffff, 1, payload(4))).end, Next::damage);
    // One described behind the packet is too late.
    const Walked late(ng.section() + ng.enhanced(0, 1, payload(4)) + ng.interface(1));
    CHECK_EQ(late.end, Next::damage);
    CHECK_EQ(late.kinds.size(), 1u);
  }
}

TEST("sections that are none") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    for (const auto& [major, minor] :
         {std::pair<uint16_t, uint16_t>{1, 1}, {1, 3}, {0, 0}, {2, 0}, {256, 0}, {1, 0xffff}}) {
      const Walked walk(ng.section({}, major, minor));
      CHECK_EQ(walk.end, Next::damage);
      CHECK(walk.reader.damageText().find(std::to_string(major) + "." + std::to_string(minor)) != std::string::npos);
    }
    Buffer other_magic = ng.section();
    other_magic[9] ^= 1;
    CHECK_EQ(Walked(other_magic).end, Next::damage);
    CHECK_EQ(Walked(ng.interface(1)).end, Next::damage);
    CHECK_EQ(Walked(ng.enhanced(0, 1, payload(4))).end, Next::damage);
    // The section length is a hint: no value of it changes what is read.
    for (const uint64_t length : {uint64_t{0}, uint64_t{4}, uint64_t{1} << 63, UINT64_MAX - 1})
      CHECK_EQ(Walked(ng.section({}, 1, 0, length) + ng.interface(1) + ng.enhanced(0, 1, payload(4))).packets.size(),
               1u);
  }
}

TEST("a boundary is plausible where blocks follow one another") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    PcapngReader reader;
    reader.restore(big, {Interface{}});
    Buffer all;
    std::vector<bool> starts;
    for (uint8_t i = 0; i < 40; ++i) {
      const size_t start = all.size();
      all = all + (i % 9 == 5 ? ng.block(0xbad, payload(24, i)) : ng.enhanced(0, i, payload(30 + i, i)));
      starts.resize(all.size());
      starts[start] = i % 9 != 5;  // a custom block is not taken for the first
    }
    for (size_t at = 0; at < all.size(); at += 4) {
      CONTEXT("offset " << at);
      const Exact rest(all.data() + at, all.size() - at);
      CHECK_EQ(reader.plausible(rest.data(), rest.size(), true), starts[at]);
    }
    for (size_t size = 0; size < 200; ++size) {
      const Exact cut(all.data(), size);
      reader.plausible(cut.data(), cut.size(), false);
      reader.plausible(cut.data(), cut.size(), true);
    }
  }
}

}  // namespace spillway::test
