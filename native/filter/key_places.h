// The places of a link type's keys as loads of a program, and what must be proven for each: the other side of
// index/keys.h, which records keys at the same places under the same guards.
#pragma once
#include <cstdint>
#include <vector>

#include "index/key.h"

namespace spillway {

// What a load instruction reads: `size` bytes (1, 2 or 4) at `offset` of the packet; or, where X came of the MSH load,
// at `offset` + 4 * (packet[header] & 15).
struct Load {
  uint32_t offset;
  uint8_t size;
  bool behind_header = false;
  uint32_t header = 0;
  friend bool operator==(const Load&, const Load&) = default;
};

constexpr uint32_t allBits(const Load& load) { return 0xffffffffu >> (32 - 8 * load.size); }

// Proven when the bits `mask` of what `load` reads are known to be one of `values`.
struct Guard {
  Load load;
  uint32_t mask;
  std::vector<uint32_t> values;
};

// A key is what `parts` read, one after the other; of a single part, only the bits `mask`, which begin at bit 0. Only
// these loads prove anything of it: one of fewer bytes succeeds where the packet ends within the key and so has none.
struct KeyPlace {
  KeyKind kind;
  uint32_t mask;
  std::vector<Load> parts;
  std::vector<Guard> guards;
};

// None for a link type whose packets have no keys. They stay as long as the program runs.
const std::vector<KeyPlace>& keyPlacesOf(uint32_t link_type);

}  // namespace spillway
