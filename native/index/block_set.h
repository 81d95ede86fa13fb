// A set of the blocks of one group, or of the columns of a bit-sliced filter.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "index/sidecar_format.h"

namespace spillway {

class BlockSet {
 public:
  static constexpr size_t kBytes = sidecar::rowBytes(sidecar::kGroupBlocks);

  // 0 .. count - 1.
  static BlockSet first(uint32_t count) {
    BlockSet set;
    for (uint32_t word = 0; word < count / 64; ++word) set.words_[word] = ~uint64_t{0};
    if (count % 64 != 0) set.words_[count / 64] = (uint64_t{1} << count % 64) - 1;
    return set;
  }

  void add(uint32_t block) { words_[block >> 6] |= uint64_t{1} << (block & 63); }
  bool has(uint32_t block) const { return (words_[block >> 6] >> (block & 63) & 1) != 0; }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
  }
  BlockSet& operator|=(const BlockSet& other) {
    for (size_t n = 0; n < words_.size(); ++n) words_[n] |= other.words_[n];
    return *this;
  }
  BlockSet& operator&=(const BlockSet& other) {
    for (size_t n = 0; n < words_.size(); ++n) words_[n] &= other.words_[n];
    return *this;
  }
  // What is in `other`, too, leaves.
  BlockSet& operator-=(const BlockSet& other) {
    for (size_t n = 0; n < words_.size(); ++n) words_[n] &= ~other.words_[n];
    return *this;
  }
  friend bool operator==(const BlockSet&, const BlockSet&) = default;

  // Calls f(block) in ascending order.
  template <class F>
  void each(F&& f) const {
    for (uint32_t word = 0; word < words_.size(); ++word)
      for (uint64_t left = words_[word]; left != 0; left &= left - 1)
        f(word * 64 + static_cast<uint32_t>(std::countr_zero(left)));
  }

  // As a row of a sidecar: block b is bit b % 8 of byte b / 8. kBytes of them.
  uint8_t* row() { return reinterpret_cast<uint8_t*>(words_.data()); }
  const uint8_t* row() const { return reinterpret_cast<const uint8_t*>(words_.data()); }

 private:
  std::array<uint64_t, sidecar::kGroupBlocks / 64> words_{};
};

}  // namespace spillway
