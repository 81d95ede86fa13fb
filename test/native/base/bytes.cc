// Loads in both byte orders at every alignment, the cursor, padding.
#include "base/bytes.h"

#include "buffer.h"
#include "check.h"

namespace spillway::test {

TEST("loads and stores take any alignment") {
  for (size_t shift = 0; shift < 8; ++shift) {
    CONTEXT("shift " << shift);
    const Exact block(Buffer(shift + 8));
    auto* p = const_cast<uint8_t*>(block.data()) + shift;
    store64(p, 0x0102030405060708);
    CHECK_EQ(p[0], 8);
    CHECK_EQ(p[7], 1);
    CHECK_EQ(load64(p), 0x0102030405060708u);
    CHECK_EQ(load32(p), 0x05060708u);
    CHECK_EQ(load16(p), 0x0708u);
    store32(p, 0xa1b2c3d4);
    CHECK_EQ(p[0], 0xd4);
    CHECK_EQ(p[3], 0xa1);
    store16(p, 0xa1b2);
    CHECK_EQ(p[0], 0xb2);
    CHECK_EQ(p[1], 0xa1);
  }
}

TEST("an order loads what stands in a file") {
  const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xf8};
  const Order little{false}, big{true};
  CHECK_EQ(little.u16(bytes), 0x0201u);
  CHECK_EQ(big.u16(bytes), 0x0102u);
  CHECK_EQ(little.u32(bytes), 0x04030201u);
  CHECK_EQ(big.u32(bytes), 0x01020304u);
  CHECK_EQ(little.u64(bytes), 0xf807060504030201u);
  CHECK_EQ(big.u64(bytes), 0x01020304050607f8u);
}

TEST("the cursor reads to the last byte and fails beyond it for good") {
  const Exact block(Buffer{1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4});
  Cursor cursor(block.bytes());
  CHECK_EQ(cursor.u8(), 1);
  CHECK_EQ(cursor.u32(), 2u);
  CHECK_EQ(cursor.u64(), 3u);
  CHECK_EQ(cursor.left(), 1u);
  CHECK_EQ(cursor.u32(), 0u);
  CHECK(!cursor.ok());
  CHECK_EQ(cursor.u8(), 0);  // though a byte is left
  CHECK(!cursor.ok());
}

TEST("the cursor refuses lengths that would wrap") {
  const Exact block(Buffer(4));
  Cursor cursor(block.bytes());
  CHECK(cursor.take(SIZE_MAX) == nullptr);
  CHECK(!cursor.ok());
  Cursor empty(Bytes{});
  CHECK(empty.take(0) == nullptr);
  CHECK(empty.ok());
  CHECK_EQ(empty.u8(), 0);
  CHECK(!empty.ok());
}

TEST("padding goes up to a multiple of four") {
  CHECK_EQ(pad4(0), 0u);
  CHECK_EQ(pad4(1), 4u);
  CHECK_EQ(pad4(4), 4u);
  CHECK_EQ(pad4(65535), 65536u);
  CHECK_EQ(pad4(0xfffffffc), 0xfffffffcu);
}

}  // namespace spillway::test
