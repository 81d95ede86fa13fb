// Clamping to int64 nanoseconds, and seconds below zero.
#include "base/time.h"

#include "check.h"

namespace spillway::test {

TEST("times outside int64 nanoseconds are clamped and say so") {
  const struct {
    Int128 in;
    Nanos ns;
    bool clamped;
  } cases[] = {
      {0, 0, false},
      {kNanosMax, kNanosMax, false},
      {static_cast<Int128>(kNanosMax) + 1, kNanosMax, true},
      {kNanosMin, kNanosMin, false},
      {static_cast<Int128>(kNanosMin) - 1, kNanosMin, true},
      {static_cast<Int128>(1) << 126, kNanosMax, true},
      {-(static_cast<Int128>(1) << 126), kNanosMin, true},
  };
  for (const auto& one : cases) {
    const ClampedNanos got = clampNanos(one.in);
    CHECK_EQ(got.ns, one.ns);
    CHECK_EQ(got.clamped, one.clamped);
  }
}

TEST("seconds are rounded towards minus infinity") {
  const struct {
    Nanos in;
    int64_t seconds;
    uint32_t nanos;
  } cases[] = {
      {0, 0, 0},
      {999999999, 0, 999999999},
      {1000000000, 1, 0},
      {-1, -1, 999999999},
      {-1000000000, -1, 0},
      {-1000000001, -2, 999999999},
      {kNanosMax, 9223372036, 854775807},
      {kNanosMin, -9223372037, 145224192},
  };
  for (const auto& one : cases) {
    CONTEXT("time " << one.in);
    const SplitTime got = splitNanos(one.in);
    CHECK_EQ(got.seconds, one.seconds);
    CHECK_EQ(got.nanos, one.nanos);
    CHECK_EQ(static_cast<Int128>(got.seconds) * kNanosPerSecond + got.nanos == one.in, true);
  }
}

}  // namespace spillway::test
