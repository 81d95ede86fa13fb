// A set of 32-bit values as ranges: what is known of a value that a program has loaded and compared.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace spillway {

// Both ends included.
struct ValueRange {
  uint32_t low;
  uint32_t high;
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

class ValueSet {
 public:
  ValueSet() = default;
  // Ranges in ascending order, none touching another. An empty one (low > high) is left out; 64 bits, so that the
  // bounds may be computed without overflow.
  struct Bounds {
    int64_t low, high;
  };
  ValueSet(std::initializer_list<Bounds> ranges) {
    for (const Bounds& range : ranges)
      if (range.low <= range.high)
        ranges_.push_back({static_cast<uint32_t>(range.low), static_cast<uint32_t>(range.high)});
  }

  bool empty() const { return ranges_.empty(); }
  const std::vector<ValueRange>& ranges() const { return ranges_; }
  // The number of values.
  uint64_t count() const;
  friend bool operator==(const ValueSet&, const ValueSet&) = default;

  ValueSet operator&(const ValueSet& other) const;
  ValueSet operator|(const ValueSet& other) const;

 private:
  std::vector<ValueRange> ranges_;  // ascending; between two of them at least one value is missing
};

}  // namespace spillway
