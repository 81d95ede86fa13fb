// The times that are wanted.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/time.h"

namespace spillway {

// [start, end), nanoseconds. The largest time as an end means that there is none: packets of that time are in.
struct TimeSpan {
  Nanos start;
  Nanos end;
};

class TimeSpans {
 public:
  // In any order, overlapping or not. None: every time is wanted, and what has no time, too.
  explicit TimeSpans(std::vector<TimeSpan> spans) : every_(spans.empty()) {
    std::sort(spans.begin(), spans.end(), [](const TimeSpan& a, const TimeSpan& b) { return a.start < b.start; });
    for (const TimeSpan& span : spans) {
      if (span.end <= span.start && span.end != kNanosMax) continue;  // empty
      const TimeSpan inclusive = {span.start, span.end == kNanosMax ? kNanosMax : span.end - 1};
      if (!spans_.empty() && inclusive.start <= spans_.back().end)
        spans_.back().end = std::max(spans_.back().end, inclusive.end);
      else spans_.push_back(inclusive);
    }
  }

  // Is a time of [min, max] wanted? `timed`: there is one.
  bool touch(bool timed, Nanos min, Nanos max) const {
    if (every_ || !timed) return every_;
    // The first span that ends at `min` or later is the only one to ask.
    const auto span =
        std::lower_bound(spans_.begin(), spans_.end(), min, [](const TimeSpan& s, Nanos time) { return s.end < time; });
    return span != spans_.end() && span->start <= max;
  }

 private:
  bool every_;
  std::vector<TimeSpan> spans_;  // ends included; sorted, disjoint
};

}  // namespace spillway
