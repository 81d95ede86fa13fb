// The keys of a block as they come in, each kept once or hardly more often. What is new is not branched on: whether a
// packet's key was there already cannot be predicted, and a wrong guess costs more than all the rest.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace spillway {

// Values in the order in which they came; memory is kept from block to block.
template <class T>
class FreshList {
 public:
  // Appends `value` where `fresh`.
  void push(T value, bool fresh) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    values_[size_] = value;
    size_ += fresh ? 1 : 0;
  }
  std::span<const T> values() const { return {values_.get(), size_}; }
  void clear() { size_ = 0; }

 private:
  void grow() {
    // 4,096 are enough for nearly every block.
    const size_t capacity = std::max<size_t>(4096, 2 * capacity_);
    std::unique_ptr<T[]> values(new T[capacity]);
    std::copy_n(values_.get(), size_, values.get());
    values_ = std::move(values);
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> values_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Values seen a short while ago; one that a neighbour in the table has driven out counts as fresh again.
template <class T, uint32_t kSlotBits>
class RecentKeys {
 public:
  RecentKeys() { clear(); }
  bool isFresh(T value) {
    T& slot = slots_[slotOf(value)];
    const bool fresh = slot != value;
    slot = value;
    return fresh;
  }
  // An empty slot holds a value that belongs into another one.
  void clear() {
    slots_.fill(0);
    static_assert(slotOf(0) == 0 && slotOf(1) != 0);
    slots_[0] = 1;
  }

 private:
  static constexpr size_t slotOf(T value) {
    return static_cast<uint64_t>(value) * 0x9e3779b97f4a7c15 >> (64 - kSlotBits);
  }
  std::array<T, size_t{1} << kSlotBits> slots_;
};

// Values of 16 bits: exactly those that were there.
class PortSet {
 public:
  bool isFresh(uint16_t value) {
    uint64_t& word = words_[value >> 6];
    const uint64_t bit = uint64_t{1} << (value & 63);
    const bool fresh = (word & bit) == 0;
    word |= bit;
    return fresh;
  }
  void clear() { words_.fill(0); }

 private:
  std::array<uint64_t, 65536 / 64> words_{};
};

}  // namespace spillway
