// Bounds-checked access to bytes, in both byte orders.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace spillway {

static_assert(std::endian::native == std::endian::little, "written for little-endian machines");

inline uint16_t swap16(uint16_t v) { return __builtin_bswap16(v); }
inline uint32_t swap32(uint32_t v) { return __builtin_bswap32(v); }
inline uint64_t swap64(uint64_t v) { return __builtin_bswap64(v); }

// Unchecked loads and stores at any alignment; the caller has checked the length.
inline uint16_t load16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, 2);
  return v;
}
inline uint32_t load32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, 4);
  return v;
}
inline uint64_t load64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}
inline void store16(uint8_t* p, uint16_t v) { std::memcpy(p, &v, 2); }
inline void store32(uint8_t* p, uint32_t v) { std::memcpy(p, &v, 4); }
inline void store64(uint8_t* p, uint64_t v) { std::memcpy(p, &v, 8); }

// Loads in the byte order of a file, unchecked.
struct Order {
  bool swapped = false;  // the file's order is not this machine's
  uint16_t u16(const uint8_t* p) const {
    const uint16_t v = load16(p);
    return swapped ? swap16(v) : v;
  }
  uint32_t u32(const uint8_t* p) const {
    const uint32_t v = load32(p);
    return swapped ? swap32(v) : v;
  }
  uint64_t u64(const uint8_t* p) const {
    const uint64_t v = load64(p);
    return swapped ? swap64(v) : v;
  }
};

// A run of bytes that someone else owns.
struct Bytes {
  const uint8_t* data = nullptr;
  size_t size = 0;
  bool empty() const { return size == 0; }
};

// Reads forward through bytes; a read beyond the end fails and leaves the cursor failed.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : at_(bytes.data), left_(bytes.size) {}
  bool ok() const { return ok_; }
  size_t left() const { return left_; }
  const uint8_t* take(size_t n) {
    if (!ok_ || n > left_) {
      ok_ = false;
      return nullptr;
    }
    const uint8_t* p = at_;
    at_ += n;
    left_ -= n;
    return p;
  }
  uint8_t u8() {
    const uint8_t* p = take(1);
    return p ? *p : 0;
  }
  uint32_t u32() {
    const uint8_t* p = take(4);
    return p ? load32(p) : 0;
  }
  uint64_t u64() {
    const uint8_t* p = take(8);
    return p ? load64(p) : 0;
  }

 private:
  const uint8_t* at_;
  size_t left_;
  bool ok_ = true;
};

inline uint32_t pad4(uint32_t n) { return (n + 3u) & ~3u; }

}  // namespace spillway
