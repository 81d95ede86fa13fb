// Appends little-endian numbers to bytes: the writing side of Cursor.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace spillway {

class AppendLittle {
 public:
  explicit AppendLittle(std::vector<uint8_t>* to) : to_(to) {}
  AppendLittle& u8(uint8_t v) {
    to_->push_back(v);
    return *this;
  }
  AppendLittle& u16(uint16_t v) {
    store16(more(2), v);
    return *this;
  }
  AppendLittle& u32(uint32_t v) {
    store32(more(4), v);
    return *this;
  }
  AppendLittle& u64(uint64_t v) {
    store64(more(8), v);
    return *this;
  }
  AppendLittle& i64(int64_t v) { return u64(static_cast<uint64_t>(v)); }
  AppendLittle& bytes(Bytes bytes) {
    to_->insert(to_->end(), bytes.data, bytes.data + bytes.size);
    return *this;
  }

 private:
  uint8_t* more(size_t n) {
    to_->resize(to_->size() + n);
    return to_->data() + to_->size() - n;
  }
  std::vector<uint8_t>* to_;
};

}  // namespace spillway
