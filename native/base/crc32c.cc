#include "base/crc32c.h"

#include <array>

#include "base/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace spillway {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78u;

constexpr std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = makeTable();

// Product of two polynomials modulo the CRC's, bits reflected (x^0 is the top bit).
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ ((b & 1) ? kPolynomial : 0);
  }
  return product;
}

// x^(8n): what n more bytes multiply a checksum by.
constexpr uint32_t shiftFactor(uint64_t bytes) {
  uint32_t factor = 1u << 31;  // x^0
  uint32_t square = 1u << 23;  // x^8
  for (; bytes != 0; bytes >>= 1) {
    if (bytes & 1) factor = multiply(factor, square);
    square = multiply(square, square);
  }
  return factor;
}

#if defined(__x86_64__)
// The instruction has a latency of three cycles and a throughput of one: three streams side by side keep it busy.
// A lane's checksum is carried over the lanes behind it by four table look-ups.
constexpr size_t kLane = 4096;

using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;
constexpr ShiftTable makeShiftTable(uint64_t bytes) {
  ShiftTable table{};
  const uint32_t factor = shiftFactor(bytes);
  for (int byte = 0; byte < 4; ++byte)
    for (uint32_t i = 0; i < 256; ++i) table[byte][i] = multiply(i << (8 * byte), factor);
  return table;
}
const ShiftTable kShiftLane = makeShiftTable(kLane);

uint32_t shiftLane(uint32_t crc) {
  return kShiftLane[0][crc & 255] ^ kShiftLane[1][(crc >> 8) & 255] ^ kShiftLane[2][(crc >> 16) & 255] ^
         kShiftLane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) uint32_t crcHardware(const uint8_t* p, size_t n, uint32_t before) {
  uint64_t a = before ^ 0xffffffffu;
  while (n >= 3 * kLane) {
    uint64_t b = 0, c = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      a = _mm_crc32_u64(a, load64(p + i));
      b = _mm_crc32_u64(b, load64(p + kLane + i));
      c = _mm_crc32_u64(c, load64(p + 2 * kLane + i));
    }
    a = shiftLane(static_cast<uint32_t>(a)) ^ b;
    a = shiftLane(static_cast<uint32_t>(a)) ^ c;
    p += 3 * kLane;
    n -= 3 * kLane;
  }
  for (; n >= 8; n -= 8, p += 8) a = _mm_crc32_u64(a, load64(p));
  auto rest = static_cast<uint32_t>(a);
  for (; n != 0; --n, ++p) rest = _mm_crc32_u8(rest, *p);
  return rest ^ 0xffffffffu;
}
#endif

}  // namespace

uint32_t crc32cPortable(const uint8_t* data, size_t size, uint32_t before) {
  uint32_t crc = before ^ 0xffffffffu;
  for (size_t i = 0; i < size; ++i) crc = (crc >> 8) ^ kTable[(crc ^ data[i]) & 255];
  return crc ^ 0xffffffffu;
}

uint32_t crc32c(const uint8_t* data, size_t size, uint32_t before) {
#if defined(__x86_64__)
  static const bool hardware = __builtin_cpu_supports("sse4.2");
  if (hardware) return crcHardware(data, size, before);
#endif
  return crc32cPortable(data, size, before);
}

uint32_t crc32cCombine(uint32_t a, uint32_t b, uint64_t lengthB) { return multiply(shiftFactor(lengthB), a) ^ b; }

}  // namespace spillway
