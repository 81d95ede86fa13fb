// Filters of one size, turned by a quarter: a row for each bit of them, so that a look-up reads a few rows instead of
// every filter. Rows stand one behind another without a gap between their bits: row r of n filters begins at bit
// r * n, and bit b of bytes is bit b % 8 of byte b / 8.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace spillway {

// `filters` holds `count` filters of `filter_bytes` each. Appends 8 * filter_bytes rows: bit n of row r is bit r of
// filter n.
void appendSliced(Bytes filters, uint32_t count, size_t filter_bytes, std::vector<uint8_t>* to);

// Where a row is: `bytes` bytes at `offset` from the first row's, of which it begins at bit `shift` of the first.
struct RowPlace {
  uint64_t offset;
  size_t bytes;
  uint32_t shift;
};
constexpr RowPlace rowPlace(uint64_t row, uint32_t count) {
  const uint64_t first = row * count;
  return {first / 8, static_cast<size_t>((first % 8 + count + 7) / 8), static_cast<uint32_t>(first % 8)};
}
// Moves a row to the beginning of `row`, from `place` as it was read into `read`; `row` has (count + 7) / 8 bytes, of
// which bits behind the row's may be set.
void alignRow(const uint8_t* read, const RowPlace& place, size_t row_bytes, uint8_t* row);

}  // namespace spillway
