// What A and X hold, as far as it is followed, and what a comparison says of the packet's bytes then.
#pragma once
#include <cstdint>

#include "filter/key_places.h"
#include "filter/value_set.h"

namespace spillway {

struct Register {
  enum Kind : uint8_t {
    unknown,
    constant,  // value
    loaded,    // (load & mask) >> shift; mask is not 0, and has no bits below shift
    header,    // 4 * (packet[value] & 15); X only
  };
  Kind kind = unknown;
  uint32_t value = 0;
  Load load{};
  uint32_t mask = 0;
  uint32_t shift = 0;
  friend bool operator==(const Register&, const Register&) = default;

  static Register ofConstant(uint32_t value) { return {.kind = constant, .value = value}; }
  static Register ofLoad(Load load) { return {.kind = loaded, .load = load, .mask = allBits(load)}; }
  static Register ofHeader(uint32_t at) { return {.kind = header, .value = at}; }

  // A & k, A >> k.
  Register keeping(uint32_t k) const;
  Register shiftedRight(uint32_t k) const;
};

// What a comparison says of the bits `mask` of the load in A where it is true, and where it is false.
struct Outcome {
  uint32_t mask;
  ValueSet when_true, when_false;
  bool excludes_one;  // when_false says no more than that one value is not there
};

// `code` is a conditional jump, with k or X; `k` is what it compares with.
Outcome outcomeOf(uint16_t code, const Register& loaded, uint32_t k);
bool isTrue(uint16_t code, uint32_t a, uint32_t k);

// Of a conditional jump.
constexpr bool comparesWithX(uint16_t code) { return (code & 0x08) != 0; }

}  // namespace spillway
