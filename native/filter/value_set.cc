#include "filter/value_set.h"

#include <algorithm>

namespace spillway {

uint64_t ValueSet::count() const {
  uint64_t n = 0;
  for (const ValueRange& range : ranges_) n += uint64_t{range.high} - range.low + 1;
  return n;
}

ValueSet ValueSet::operator&(const ValueSet& other) const {
  ValueSet both;
  size_t i = 0;
  size_t j = 0;
  while (i < ranges_.size() && j < other.ranges_.size()) {
    const ValueRange a = ranges_[i];
    const ValueRange b = other.ranges_[j];
    const ValueRange common{std::max(a.low, b.low), std::min(a.high, b.high)};
    if (common.low <= common.high) both.ranges_.push_back(common);
    if (a.high < b.high) ++i;
    else ++j;
  }
  return both;
}

ValueSet ValueSet::operator|(const ValueSet& other) const {
  std::vector<ValueRange> all;
  std::merge(ranges_.begin(), ranges_.end(), other.ranges_.begin(), other.ranges_.end(), std::back_inserter(all),
             [](const ValueRange& a, const ValueRange& b) { return a.low < b.low; });
  ValueSet either;
  for (const ValueRange& range : all) {
    auto& to = either.ranges_;
    if (!to.empty() && range.low <= uint64_t{to.back().high} + 1) to.back().high = std::max(to.back().high, range.high);
    else to.push_back(range);
  }
  return either;
}

}  // namespace spillway
