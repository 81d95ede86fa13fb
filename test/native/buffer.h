// Bytes that tests build, and heap blocks of exactly their size, so that AddressSanitizer sees a read beyond them.
#pragma once
#include <cstring>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace spillway::test {

using Buffer = std::vector<uint8_t>;

inline Bytes bytesOf(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }
inline Buffer copyOf(Bytes bytes) { return {bytes.data, bytes.data + bytes.size}; }

inline Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The first `size` bytes of something in a heap block of just that size.
class Exact {
 public:
  Exact(const uint8_t* from, size_t size) : data_(new uint8_t[size]), size_(size) {
    if (size != 0) std::memcpy(data_.get(), from, size);
  }
  explicit Exact(const Buffer& from) : Exact(from.data(), from.size()) {}
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  Bytes bytes() const { return {data_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> data_;
  size_t size_;
};

}  // namespace spillway::test
