// Lists of the distinct keys of many blocks: what turns a net or a range of ports into look-ups, and tells at once that
// an address is nowhere in them.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "index/block.h"
#include "index/bloom.h"

namespace spillway {

// Values of one list; with more of them there is no list, and it excludes nothing. Bounds its memory and its share of
// the index.
constexpr size_t kMaxListed = 65536;

constexpr uint32_t kHashedBits = 20;

// What stands for a key in its list: the value itself of an IPv4 address or a port (so that ranges can be looked up),
// kHashedBits of a hash of an IPv6 or MAC address: of those, a list only says which are absent, and with so few bits
// even a long one takes a byte for each, and takes 2 in 100 absent ones for present. Stored in index files.
inline uint32_t listedValue(Key key) {
  if (key.kind == KeyKind::ip4 || key.kind == KeyKind::port) return static_cast<uint32_t>(key.value);
  return static_cast<uint32_t>(bloom::hashKey(key.kind, key.value) >> (64 - kHashedBits));
}

// Strictly ascending.
using KeyList = std::vector<uint32_t>;

// Appends a list: the first value, and then of each value how far it lies behind the one before, less one; numbers of
// 7 bits a byte, the low ones first, with the top bit set in all but the last byte. 1 to 5 bytes a value.
void encodeKeyList(const KeyList& list, std::vector<uint8_t>* to);
// The most bytes that `count` values take.
constexpr size_t kMaxListedBytes = 5;
// False where `bytes` are not exactly a list of `count` values.
bool decodeKeyList(Bytes bytes, size_t count, KeyList* list);

enum class Listing : uint8_t { absent, present, malformed };
// Whether `value` is in a list, of which no more is read than that takes.
Listing findInKeyList(Bytes bytes, size_t count, uint32_t value);

// A set of values that takes in at most kMaxListed of them.
class KeySet {
 public:
  // Takes `values` in, and appends those that were not there before to `fresh`.
  void insert(std::span<const uint32_t> values, KeyList* fresh);
  bool tooMany() const { return too_many_; }
  void setTooMany() { too_many_ = true; }
  void clear();

 private:
  static constexpr uint32_t kLowValues = 1u << kHashedBits;

  static constexpr size_t kBucket = 4;  // slots, filled from the first on

  size_t bucketOf(uint32_t value) const { return (value * 0x9e3779b97f4a7c15 >> slot_shift_) & ~(kBucket - 1); }
  // True where the value was not there.
  bool insertLow(uint32_t value) {
    uint64_t& word = low_[value >> 6];
    const uint64_t bit = uint64_t{1} << (value & 63);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }
  bool insertHigh(uint32_t value) {
    for (size_t at = bucketOf(value);; at = (at + kBucket) & (slots_.size() - 1)) {
      uint32_t* slot = &slots_[at];
      // All four are compared at once: in which one a value stands cannot be predicted.
      if ((slot[0] == value) | (slot[1] == value) | (slot[2] == value) | (slot[3] == value)) return false;
      if (slot[kBucket - 1] != 0) continue;
      while (*slot != 0) ++slot;
      *slot = value;
      ++slots_used_;
      return true;
    }
  }
  void grow();

  // Small values, which are all but addresses of IPv4, are bits; the others stand in an open hash table of which half
  // stays free. So 0 marks a free slot.
  std::vector<uint64_t> low_;
  std::vector<uint32_t> slots_;
  uint32_t slot_shift_ = 63;
  size_t slots_used_ = 0;
  size_t size_ = 0;
  bool too_many_ = false;
};

}  // namespace spillway
