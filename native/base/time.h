// Times are int64 nanoseconds since 1970-01-01T00:00:00Z.
#pragma once
#include <cstdint>
#include <limits>

namespace spillway {

using Nanos = int64_t;
using Int128 = __int128;
using Uint128 = unsigned __int128;

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr Nanos kNanosMin = std::numeric_limits<Nanos>::min();
constexpr Nanos kNanosMax = std::numeric_limits<Nanos>::max();

// A time that may have been too large or too small for Nanos.
struct ClampedNanos {
  Nanos ns = 0;
  bool clamped = false;
};

inline ClampedNanos clampNanos(Int128 ns) {
  if (ns > kNanosMax) return {kNanosMax, true};
  if (ns < kNanosMin) return {kNanosMin, true};
  return {static_cast<Nanos>(ns), false};
}

// Seconds rounded towards minus infinity, and the nanoseconds in [0, 1e9) above them.
struct SplitTime {
  int64_t seconds;
  uint32_t nanos;
};

inline SplitTime splitNanos(Nanos ns) {
  int64_t seconds = ns / kNanosPerSecond;
  int64_t rest = ns % kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  }
  return {seconds, static_cast<uint32_t>(rest)};
}

}  // namespace spillway
