#include "filter/registers.h"

#include <algorithm>

#include "filter/cbpf.h"

namespace spillway {

using namespace cbpf;

namespace {

// The comparison itself: the code that compares with k.
uint16_t comparison(uint16_t code) { return code & static_cast<uint16_t>(~0x08); }

}  // namespace

Register Register::keeping(uint32_t k) const {
  if (kind == constant) return ofConstant(value & k);
  if (kind != loaded) return {};
  Register kept = *this;
  kept.mask &= static_cast<uint32_t>(uint64_t{k} << shift);
  return kept.mask != 0 ? kept : ofConstant(0);
}

Register Register::shiftedRight(uint32_t k) const {
  if (kind == constant) return ofConstant(k < 32 ? value >> k : 0);
  if (kind != loaded) return {};
  Register shifted = *this;
  const uint64_t places = uint64_t{shift} + k;
  shifted.mask = places < 32 ? mask & (0xffffffffu << places) : 0;
  shifted.shift = static_cast<uint32_t>(places);
  return shifted.mask != 0 ? shifted : ofConstant(0);
}

bool isTrue(uint16_t code, uint32_t a, uint32_t k) {
  switch (comparison(code)) {
    case kJeqK:
      return a == k;
    case kJgtK:
      return a > k;
    case kJgeK:
      return a >= k;
    default:
      return (a & k) != 0;
  }
}

Outcome outcomeOf(uint16_t code, const Register& a, uint32_t k) {
  const int64_t all = a.mask;
  if (comparison(code) == kJsetK) {
    const uint32_t bits = a.mask & static_cast<uint32_t>(uint64_t{k} << a.shift);
    if (bits == 0) return {a.mask, {}, {{0, all}}, true};
    return {bits, {{bits & (0u - bits), bits}}, {{0, 0}}, false};
  }
  // The loaded bits are compared where they stand, so k moves up to them. All k above the largest value are alike.
  const int64_t moved = std::min<int64_t>(k, (all >> a.shift) + 1);
  const int64_t point = moved << a.shift;
  const int64_t next = (moved + 1) << a.shift;
  switch (comparison(code)) {
    case kJgtK:
      return {a.mask, {{next, all}}, {{0, std::min(next - 1, all)}}, false};
    case kJgeK:
      return {a.mask, {{point, all}}, {{0, std::min(point - 1, all)}}, false};
    default:
      if ((point & ~all) != 0) return {a.mask, {}, {{0, all}}, true};
      return {a.mask, {{point, point}}, {{0, point - 1}, {point + 1, all}}, true};
  }
}

}  // namespace spillway
