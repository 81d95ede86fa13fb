// Bloom filters over addresses and ports. Hashes and places are stored in index files: a change of them needs another
// kSidecarVersion.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "index/key.h"

namespace spillway::bloom {

// Bits that a key sets. At the 8 to 16 bits a key that a filter has, 4 let through 2.4% down to 0.24% of the keys that
// are not there, and cost less to set and to look up than the optimum's 5 to 11.
constexpr uint32_t kProbes = 4;

// A filter of class c has 2^c bytes: 64 B to 4 KiB. Class 0 is no filter. The largest is enough for the keys of 64 KiB
// of the smallest packets; with still more keys it lets through more, and loses none.
constexpr uint8_t kMinClass = 6;
constexpr uint8_t kMaxClass = 12;
constexpr size_t kClasses = kMaxClass - kMinClass + 1;
constexpr size_t kMaxBytes = size_t{1} << kMaxClass;

constexpr size_t bytesOf(uint8_t filter_class) { return filter_class == 0 ? 0 : size_t{1} << filter_class; }
constexpr bool validClass(uint8_t c) { return c == 0 || (c >= kMinClass && c <= kMaxClass); }

// One-to-one for the keys of one kind.
inline uint64_t hashKey(KeyKind kind, uint64_t value) {
  uint64_t h = (value + static_cast<uint64_t>(kind) * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  h ^= h >> 32;
  h *= 0x94d049bb133111eb;
  return h ^ (h >> 32);
}

// The bit of a key's probe 0 .. kProbes - 1 in a filter of `bits`, a power of two. The place in a smaller filter is
// the place in a larger one modulo the smaller one's bits, so that a filter can be folded.
inline uint32_t bitOf(uint64_t hash, uint32_t probe, uint32_t bits) {
  const auto first = static_cast<uint32_t>(hash);
  const uint32_t step = static_cast<uint32_t>(hash >> 32) | 1;
  return (first + probe * step) & (bits - 1);
}

// The smallest class that gives each of `keys` 8 bits, or the largest there is.
inline uint8_t classFor(size_t keys) {
  if (keys == 0) return 0;
  uint8_t c = kMinClass;
  while (c < kMaxClass && bytesOf(c) < keys) ++c;
  return c;
}

// `filter` is one of a valid class, by its size.
inline bool mayHold(Bytes filter, uint64_t hash) {
  if (filter.empty()) return false;
  const auto bits = static_cast<uint32_t>(filter.size * 8);
  for (uint32_t probe = 0; probe < kProbes; ++probe) {
    const uint32_t bit = bitOf(hash, probe, bits);
    if ((filter.data[bit >> 3] >> (bit & 7) & 1) == 0) return false;
  }
  return true;
}

// A filter being built at the largest size, and folded down to what its keys need.
class Builder {
 public:
  void add(uint64_t hash) {
    bool fresh = false;
    for (uint32_t probe = 0; probe < kProbes; ++probe) {
      const uint32_t bit = bitOf(hash, probe, kMaxBytes * 8);
      const uint64_t mask = uint64_t{1} << (bit & 63);
      uint64_t& word = words_[bit >> 6];
      fresh |= (word & mask) == 0;
      word |= mask;
    }
    keys_ += fresh ? 1 : 0;
  }
  // Distinct keys, short of the few that look as if they were there.
  size_t keys() const { return keys_; }
  // Ends the filter, in place. The bytes are this builder's and hold until clear().
  Bytes fold(uint8_t* filter_class) {
    *filter_class = classFor(keys_);
    if (*filter_class == 0) return {};
    const size_t words = bytesOf(*filter_class) / 8;
    for (size_t at = words; at < words_.size(); ++at) words_[at & (words - 1)] |= words_[at];
    return {reinterpret_cast<const uint8_t*>(words_.data()), words * 8};
  }
  void clear() {
    words_.fill(0);
    keys_ = 0;
  }

 private:
  std::array<uint64_t, kMaxBytes / 8> words_{};
  size_t keys_ = 0;
};

}  // namespace spillway::bloom
