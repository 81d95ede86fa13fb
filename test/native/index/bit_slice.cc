// Filters turned into rows: every bit is where it is looked for, and no row holds another's.
#include "index/bit_slice.h"

#include "check.h"
#include "index/block_set.h"
#include "random.h"

namespace spillway::test {
namespace {

bool bit(const uint8_t* bytes, uint64_t n) { return (bytes[n >> 3] >> (n & 7) & 1) != 0; }

void checkSliced(Random& random, uint32_t count, size_t filter_bytes, uint64_t row_step) {
  CONTEXT(count << " filters of " << filter_bytes << " bytes");
  const Exact filters(random.bytes(count * filter_bytes));
  Buffer sliced = {1, 2, 3};
  appendSliced(filters.bytes(), count, filter_bytes, &sliced);
  CHECK_EQ(sliced.size(), 3 + count * filter_bytes);
  for (uint64_t row = 0; row < 8 * filter_bytes; row += row_step) {
    const RowPlace place = rowPlace(row, count);
    CHECK(3 + place.offset + place.bytes <= sliced.size());
    const Exact read(sliced.data() + 3 + place.offset, place.bytes);
    Exact aligned(Buffer((count + 7) / 8));
    alignRow(read.data(), place, aligned.size(), const_cast<uint8_t*>(aligned.data()));
    uint32_t wrong = 0;
    for (uint32_t n = 0; n < count; ++n)
      wrong += bit(aligned.data(), n) != bit(filters.data() + n * filter_bytes, row) ? 1 : 0;
    CHECK_EQ(wrong, 0);
  }
}

TEST("a bit of a filter is in its row at its column") {
  Random random(1);
  for (uint32_t count = 1; count < 70; ++count) checkSliced(random, count, 64 + random.below(80), 1);
  checkSliced(random, 4096, 576, 97);
  checkSliced(random, 4095, 512, 101);
  checkSliced(random, 1001, 100, 1);
}

TEST("sets of blocks") {
  for (const uint32_t count : {0u, 1u, 63u, 64u, 65u, 4095u, 4096u}) {
    const BlockSet set = BlockSet::first(count);
    uint32_t seen = 0;
    set.each([&](uint32_t block) { CHECK_EQ(block, seen++); });
    CHECK_EQ(seen, count);
    CHECK_EQ(set.empty(), count == 0);
  }
  BlockSet a, b;
  for (const uint32_t n : {0u, 5u, 64u, 4095u}) a.add(n);
  for (const uint32_t n : {5u, 63u, 4095u}) b.add(n);
  BlockSet both = a, any = a, left = a;
  both &= b;
  any |= b;
  left -= b;
  for (uint32_t n = 0; n < 4096; ++n) {
    CHECK_EQ(both.has(n), a.has(n) && b.has(n));
    CHECK_EQ(any.has(n), a.has(n) || b.has(n));
    CHECK_EQ(left.has(n), a.has(n) && !b.has(n));
    CHECK_EQ(a.has(n), bit(a.row(), n));
  }
}

}  // namespace
}  // namespace spillway::test
