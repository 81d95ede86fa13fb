#include "index/bit_slice.h"

#include <algorithm>

#include "index/sidecar_format.h"

namespace spillway {
namespace {

// The 8 x 8 bits of `x`, byte by byte, mirrored at the diagonal: bit c of byte r becomes bit r of byte c. (Hacker's
// Delight, 7-3: swaps blocks of 1, 2 and 4 bits.)
uint64_t transpose8(uint64_t x) {
  uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aa;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000cccc;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0;
  return x ^ t ^ (t << 28);
}

}  // namespace

void appendSliced(Bytes filters, uint32_t count, size_t filter_bytes, std::vector<uint8_t>* to) {
  const size_t stride = sidecar::rowBytes(count);
  const size_t start = to->size();
  to->resize(start + 8 * filter_bytes * stride);
  for (size_t byte = 0; byte < filter_bytes; ++byte) {
    uint8_t* rows = to->data() + start + 8 * byte * stride;
    for (size_t column = 0; column < stride; ++column) {
      const size_t first = 8 * column;
      const size_t there = std::min<size_t>(8, count - first);
      uint64_t square = 0;
      for (size_t n = 0; n < there; ++n)
        square |= static_cast<uint64_t>(filters.data[(first + n) * filter_bytes + byte]) << (8 * n);
      square = transpose8(square);
      for (size_t bit = 0; bit < 8; ++bit) rows[bit * stride + column] = static_cast<uint8_t>(square >> (8 * bit));
    }
  }
}

}  // namespace spillway
