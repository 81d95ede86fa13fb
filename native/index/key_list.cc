#include "index/key_list.h"

#include <utility>

namespace spillway {
namespace {

constexpr uint32_t kFirstSlotBits = 10;

// Reads the value behind `*next`, the smallest that may follow; `*next` is then one more than it.
bool takeValue(Cursor* in, uint64_t* next) {
  uint64_t step = 0;
  uint8_t byte = 0x80;
  for (uint32_t shift = 0; (byte & 0x80) != 0; shift += 7) {
    if (shift > 28) return false;
    byte = in->u8();
    step |= static_cast<uint64_t>(byte & 0x7f) << shift;
  }
  *next += step + 1;
  return in->ok() && *next <= uint64_t{UINT32_MAX} + 1;
}

}  // namespace

void encodeKeyList(const KeyList& list, std::vector<uint8_t>* to) {
  uint64_t next = 0;  // the smallest value that may follow
  for (const uint32_t value : list) {
    uint64_t step = value - next;
    for (; step > 0x7f; step >>= 7) to->push_back(static_cast<uint8_t>(step | 0x80));
    to->push_back(static_cast<uint8_t>(step));
    next = uint64_t{value} + 1;
  }
}

bool decodeKeyList(Bytes bytes, size_t count, KeyList* list) {
  list->clear();
  // Each value has a byte at least, so that the bytes bound what is reserved.
  if (count > bytes.size || count > kMaxListed) return false;
  list->reserve(count);
  Cursor in(bytes);
  uint64_t next = 0;
  for (size_t n = 0; n < count; ++n) {
    if (!takeValue(&in, &next)) return false;
    list->push_back(static_cast<uint32_t>(next - 1));
  }
  return in.left() == 0;
}

Listing findInKeyList(Bytes bytes, size_t count, uint32_t value) {
  if (count > bytes.size || count > kMaxListed) return Listing::malformed;
  Cursor in(bytes);
  uint64_t next = 0;
  for (size_t n = 0; n < count; ++n) {
    if (!takeValue(&in, &next)) return Listing::malformed;
    if (next > value) return next - 1 == value ? Listing::present : Listing::absent;
  }
  return in.left() == 0 ? Listing::absent : Listing::malformed;
}

void KeySet::insert(std::span<const uint32_t> values, KeyList* fresh) {
  if (low_.empty()) low_.resize(kLowValues / 64);
  if (slots_.empty()) grow();
  // Both tables are larger than the first-level cache: lines are asked for before they are needed.
  for (const uint32_t value : values) {
    if (value < kLowValues) __builtin_prefetch(&low_[value >> 6]);
    else __builtin_prefetch(&slots_[bucketOf(value)]);
  }
  for (const uint32_t value : values) {
    if (!(value < kLowValues ? insertLow(value) : insertHigh(value))) continue;
    if (too_many_) return;
    fresh->push_back(value);
    too_many_ = ++size_ > kMaxListed;
    if (2 * slots_used_ >= slots_.size()) grow();
  }
}

void KeySet::grow() {
  const std::vector<uint32_t> before = std::exchange(slots_, {});
  const uint32_t bits = before.empty() ? kFirstSlotBits : 64 - slot_shift_ + 1;
  slot_shift_ = 64 - bits;
  slots_.resize(size_t{1} << bits);
  slots_used_ = 0;
  for (const uint32_t value : before)
    if (value != 0) insertHigh(value);
}

void KeySet::clear() { *this = {}; }

}  // namespace spillway
