// CRC-32C against the vectors of RFC 3720 appendix B.4, and its implementations against one another.
#include "base/crc32c.h"

#include "base/crc32c_x64.h"
#include "buffer.h"
#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

// Bit by bit, from the definition.
uint32_t slowly(const uint8_t* data, size_t size, uint32_t before) {
  uint32_t crc = ~before;
  for (size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
  }
  return ~crc;
}

// All that this processor has agree on `want`.
bool allGive(uint32_t want, const uint8_t* data, size_t size, uint32_t before) {
  bool same = crc32c(data, size, before) == want && crc32cPortable(data, size, before) == want;
#if defined(__x86_64__)
  same &= !hasCrc32Instruction() || crc32cByInstruction(data, size, before) == want;
  same &= !hasWideProducts() || crc32cByProducts(data, size, before) == want;
#endif
  return same;
}

Buffer counting(bool down) {
  Buffer bytes(32);
  for (size_t i = 0; i < 32; ++i) bytes[i] = static_cast<uint8_t>(down ? 31 - i : i);
  return bytes;
}

}  // namespace

TEST("RFC 3720 B.4") {
  // An iSCSI read command PDU: the RFC's fifth example.
  Buffer command(48);
  command[0] = 0x01;
  command[1] = 0xc0;
  command[16] = 0x14;
  command[22] = 0x04;
  command[27] = 0x14;
  command[31] = 0x18;
  command[32] = 0x28;
  command[40] = 0x02;
  const struct {
    const char* name;
    Buffer bytes;
    uint32_t want;
  } cases[] = {
      {"zeroes", Buffer(32, 0), 0x8a9136aa},   {"ones", Buffer(32, 0xff), 0x62a8ab43},
      {"up", counting(false), 0x46dd794e},     {"down", counting(true), 0x113fdb5c},
      {"a read command", command, 0xd9963a56}, {"nothing", {}, 0},
  };
  for (const auto& one : cases) {
    CONTEXT(one.name);
    const Exact block(one.bytes);
    CHECK_EQ(crc32c(block.data(), block.size()), one.want);
    CHECK_EQ(crc32cPortable(block.data(), block.size()), one.want);
    CHECK_EQ(slowly(block.data(), block.size(), 0), one.want);
  }
}

TEST("all implementations agree at every alignment and short length") {
  const Buffer source = Random(1).bytes(400);
  for (size_t shift = 0; shift < 16; ++shift) {
    for (size_t size = 0; size <= 300; ++size) {
      const Exact block(source.data(), shift + size);
      const uint8_t* p = block.data() + shift;
      const uint32_t want = slowly(p, size, 0x1234567);
      if (allGive(want, p, size, 0x1234567)) continue;
      CONTEXT("shift " << shift << ", size " << size);
      CHECK(false);
    }
  }
}

TEST("all implementations agree where lanes and folds begin and end") {
  // Three lanes of 4096 and of 256 bytes; and 7296 bytes of lanes and folding together.
  const Buffer source = Random(2).bytes(40000);
  for (const size_t part : {0u, 768u, 7296u, 12288u}) {
    for (size_t times = 1; times <= 3; ++times) {
      for (int64_t more = -9; more <= 9; ++more) {
        const auto size = static_cast<int64_t>(part * times) + more;
        if (size < 0) continue;
        const Exact block(source.data(), static_cast<size_t>(size));
        CONTEXT("size " << size);
        CHECK(allGive(slowly(block.data(), block.size(), 7), block.data(), block.size(), 7));
      }
    }
  }
}

TEST("every byte of a long run counts") {
  Buffer bytes = Random(5).bytes(2 * 7296 + 800);
  for (size_t at = 0; at < bytes.size(); at += 1 + at % 3) {
    bytes[at] ^= static_cast<uint8_t>(1 << at % 8);
    CONTEXT("byte " << at);
    CHECK(allGive(crc32cPortable(bytes.data(), bytes.size(), 0), bytes.data(), bytes.size(), 0));
  }
}

TEST("a checksum goes on over any cut") {
  const Buffer bytes = Random(3).bytes(200);
  const uint32_t want = crc32c(bytes.data(), bytes.size());
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    CONTEXT("cut at " << cut);
    const uint32_t a = crc32c(bytes.data(), cut);
    const uint32_t b = crc32c(bytes.data() + cut, bytes.size() - cut);
    CHECK_EQ(crc32c(bytes.data() + cut, bytes.size() - cut, a), want);
    CHECK_EQ(crc32cCombine(a, b, bytes.size() - cut), want);
  }
}

TEST("combining knows lengths beyond 32 bits") {
  // Zeroes double: the checksum of 2n zeroes is that of n combined with itself. Twice 2^33 in two ways must agree.
  uint32_t zeroes = crc32c(Buffer(1, 0).data(), 1);
  uint64_t size = 1;
  while (size < (1ull << 40)) {
    zeroes = crc32cCombine(zeroes, zeroes, size);
    size *= 2;
  }
  const Buffer head = Random(4).bytes(10);
  const uint32_t first = crc32c(head.data(), head.size());
  const uint32_t one_more = crc32cCombine(zeroes, crc32c(Buffer(1, 0).data(), 1), 1);
  CHECK_EQ(crc32cCombine(first, one_more, size + 1),
           crc32cCombine(crc32cCombine(first, zeroes, size), crc32c(Buffer(1, 0).data(), 1), 1));
  // And a length that is counted out.
  const Buffer million(1000003, 0);
  CHECK_EQ(crc32cCombine(first, crc32c(million.data(), million.size()), million.size()),
           crc32cPortable(million.data(), million.size(), first));
}

}  // namespace spillway::test
