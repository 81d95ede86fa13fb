#include "index/bit_slice.h"

#include <algorithm>

namespace spillway {
namespace {

// Bytes of the filters that are turned at a time: a cache line of each, whose rows (a quarter of a megabyte, of 4,096
// filters) stay in the second-level cache while they are filled column by column.
constexpr size_t kTileBytes = 64;

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

// Fills the rows of `tile` bytes from byte `first` of the filters on, each `stride` bytes long.
void fillRows(Bytes filters, uint32_t count, size_t filter_bytes, size_t first, size_t tile, size_t stride,
              uint8_t* rows) {
  for (size_t column = 0; column < (count + 7u) / 8; ++column) {
    const size_t there = std::min<size_t>(8, count - 8 * column);
    const uint8_t* from = filters.data + 8 * column * filter_bytes + first;
    for (size_t byte = 0; byte < tile; ++byte) {
      uint64_t square = 0;
      for (size_t n = 0; n < there; ++n) square |= static_cast<uint64_t>(from[n * filter_bytes + byte]) << (8 * n);
      square = transpose8(square);
      uint8_t* to = rows + 8 * byte * stride + column;
      for (size_t bit = 0; bit < 8; ++bit) to[bit * stride] = static_cast<uint8_t>(square >> (8 * bit));
    }
  }
}

// Sets the bits of `row`, `bytes` of them and none set behind the row's own, from bit `first` of `to` on, where none
// is set; the byte behind its last one is written to, too.
void putBits(const uint8_t* row, size_t bytes, uint64_t first, uint8_t* to) {
  to += first / 8;
  const uint32_t shift = first % 8;
  for (size_t n = 0; n < bytes; ++n) {
    const uint32_t bits = static_cast<uint32_t>(row[n]) << shift;
    to[n] = static_cast<uint8_t>(to[n] | bits);
    to[n + 1] = static_cast<uint8_t>(bits >> 8);
  }
}

}  // namespace

void appendSliced(Bytes filters, uint32_t count, size_t filter_bytes, std::vector<uint8_t>* to) {
  const size_t start = to->size();
  const size_t stride = (count + 7u) / 8;
  // A byte more than there will be: a row may end in the one before, and then writes a zero.
  to->resize(start + filter_bytes * count + 1);
  std::vector<uint8_t> rows(8 * kTileBytes * stride);
  for (size_t first = 0; first < filter_bytes; first += kTileBytes) {
    const size_t tile = std::min(kTileBytes, filter_bytes - first);
    fillRows(filters, count, filter_bytes, first, tile, stride, rows.data());
    for (size_t row = 0; row < 8 * tile; ++row)
      putBits(rows.data() + row * stride, stride, (8 * first + row) * count, to->data() + start);
  }
  to->pop_back();
}

void alignRow(const uint8_t* read, const RowPlace& place, size_t row_bytes, uint8_t* row) {
  for (size_t n = 0; n < row_bytes; ++n) {
    const uint32_t next = n + 1 < place.bytes ? read[n + 1] : 0;
    row[n] = static_cast<uint8_t>((read[n] | next << 8) >> place.shift);
  }
}

}  // namespace spillway
