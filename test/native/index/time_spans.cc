// Which times are wanted, against asking every span.
#include "index/time_spans.h"

#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

bool wanted(const std::vector<TimeSpan>& spans, Nanos min, Nanos max) {
  for (const TimeSpan& span : spans) {
    const bool ends_after = span.end > min || span.end == kNanosMax;
    const bool is_span = span.end > span.start || span.end == kNanosMax;
    if (is_span && span.start <= max && ends_after) return true;
  }
  return false;
}

TEST("no span: every time, and none") {
  const TimeSpans spans({});
  CHECK(spans.touch(true, 5, 6));
  CHECK(spans.touch(false, 0, 0));
}

TEST("an empty span holds nothing") {
  const TimeSpans spans({{5, 5}, {9, 7}, {kNanosMin, kNanosMin}});
  CHECK(!spans.touch(true, kNanosMin, kNanosMax));
  CHECK(!spans.touch(false, 0, 0));
}

TEST("ends are excluded, the largest time is no end") {
  const TimeSpans spans({{10, 20}, {kNanosMax, kNanosMax}});
  CHECK(!spans.touch(true, 0, 9));
  CHECK(spans.touch(true, 0, 10));
  CHECK(spans.touch(true, 19, 30));
  CHECK(!spans.touch(true, 20, 30));
  CHECK(spans.touch(true, 30, kNanosMax));
  CHECK(!spans.touch(true, 30, kNanosMax - 1));
  CHECK(!spans.touch(false, 15, 15));
}

TEST("spans in any order, overlapping or not") {
  Random random(1);
  const auto time = [&]() -> Nanos {
    const uint64_t n = random.below(44);
    return n == 42 ? kNanosMin : n == 43 ? kNanosMax : static_cast<Nanos>(n) - 2;
  };
  for (int n = 0; n < 20000; ++n) {
    std::vector<TimeSpan> list;
    for (size_t count = 1 + random.below(5); count > 0; --count) list.push_back({time(), time()});
    const TimeSpans spans(list);
    for (int ask = 0; ask < 5; ++ask) {
      Nanos min = time(), max = time();
      if (min > max) std::swap(min, max);
      CHECK_EQ(spans.touch(true, min, max), wanted(list, min, max));
    }
  }
}

}  // namespace
}  // namespace spillway::test
