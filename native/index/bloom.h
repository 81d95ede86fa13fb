// Bloom filters over addresses and ports. Hashes, sizes and places are stored in index files: a change of them needs
// another kSidecarVersion.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "index/key.h"

namespace spillway::bloom {

// Bits that a key sets. At the 8 bits a key that a filter has, 4 let through 2.4% of the keys that are not there, and
// cost less to set and to look up than the optimum of 5 or 6.
constexpr uint32_t kProbes = 4;

// The sizes a filter may have, by class: 64 B to 8 KiB, 32 to each doubling, so that a filter is hardly larger than its
// keys need, and many filters of a segment have one size. 8 KiB is enough for 64 KiB of packets that are nothing but
// headers. Class 0 is no filter.
constexpr uint8_t kSteps = 32;
constexpr uint8_t kMaxClass = 7 * kSteps + 1;
constexpr size_t kMinBytes = 64;
constexpr size_t kMaxBytes = 8192;

constexpr size_t bytesOf(uint8_t filter_class) {
  if (filter_class == 0) return 0;
  const uint32_t n = filter_class - 1u;
  return size_t{kSteps + n % kSteps} * (kMinBytes / kSteps) << (n / kSteps);
}
static_assert(bytesOf(1) == kMinBytes && bytesOf(kMaxClass) == kMaxBytes);

// The smallest class that gives each of `keys` 8 bits, or the largest there is.
constexpr uint8_t classFor(size_t keys) {
  if (keys == 0) return 0;
  uint8_t c = 1;
  while (c < kMaxClass && bytesOf(c) < keys) ++c;
  return c;
}

// One-to-one for the keys of one kind.
inline uint64_t hashKey(KeyKind kind, uint64_t value) {
  uint64_t h = (value + static_cast<uint64_t>(kind) * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  h ^= h >> 32;
  h *= 0x94d049bb133111eb;
  return h ^ (h >> 32);
}

// The bit of a key's probe 0 .. kProbes - 1 in a filter of `bits`: always less than `bits`.
inline uint32_t bitOf(uint64_t hash, uint32_t probe, uint32_t bits) {
  const auto first = static_cast<uint32_t>(hash);
  const uint32_t step = static_cast<uint32_t>(hash >> 32) | 1;
  return static_cast<uint32_t>(static_cast<uint64_t>(first + probe * step) * bits >> 32);
}

// Adds a key to a filter of `bytes`.
inline void add(uint8_t* filter, size_t bytes, uint64_t hash) {
  const auto set = [&](uint32_t probe) {
    const uint32_t bit = bitOf(hash, probe, static_cast<uint32_t>(8 * bytes));
    filter[bit >> 3] = static_cast<uint8_t>(filter[bit >> 3] | 1u << (bit & 7));
  };
  // Written out: compilers leave it a loop, which takes half as long again.
  static_assert(kProbes == 4);
  set(0), set(1), set(2), set(3);
}

inline bool mayHold(Bytes filter, uint64_t hash) {
  if (filter.empty()) return false;
  for (uint32_t probe = 0; probe < kProbes; ++probe) {
    const uint32_t bit = bitOf(hash, probe, static_cast<uint32_t>(8 * filter.size));
    if ((filter.data[bit >> 3] >> (bit & 7) & 1) == 0) return false;
  }
  return true;
}

}  // namespace spillway::bloom
