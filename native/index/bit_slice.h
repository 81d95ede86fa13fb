// Turns filters that stand one behind another into rows of one bit each.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace spillway {

// `filters` holds `count` filters of `filter_bytes` each. Appends 8 * filter_bytes rows of rowBytes(count) bytes;
// filter n is bit n % 8 of byte n / 8 of every row, and row 0 holds bit 0 of each filter's first byte.
void appendSliced(Bytes filters, uint32_t count, size_t filter_bytes, std::vector<uint8_t>* to);

}  // namespace spillway
