#include "base/crc32c.h"

#include <array>

#include "base/crc32c_math.h"
#include "base/crc32c_x64.h"

namespace spillway {
namespace {

constexpr std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc32c_math::timesX(crc);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = makeTable();

using Way = uint32_t (*)(const uint8_t* data, size_t size, uint32_t before);

// The fastest that this processor has.
Way bestWay() {
#if defined(__x86_64__)
  if (hasWideProducts()) return crc32cByProducts;
  if (hasCrc32Instruction()) return crc32cByInstruction;
#endif
  return crc32cPortable;
}

}  // namespace

uint32_t crc32cPortable(const uint8_t* data, size_t size, uint32_t before) {
  uint32_t crc = before ^ 0xffffffffu;
  for (size_t i = 0; i < size; ++i) crc = (crc >> 8) ^ kTable[(crc ^ data[i]) & 255];
  return crc ^ 0xffffffffu;
}

uint32_t crc32c(const uint8_t* data, size_t size, uint32_t before) {
  static const Way way = bestWay();
  return way(data, size, before);
}

uint32_t crc32cCombine(uint32_t a, uint32_t b, uint64_t lengthB) {
  return crc32c_math::multiply(crc32c_math::shiftFactor(lengthB), a) ^ b;
}

}  // namespace spillway
