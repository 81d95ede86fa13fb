// What a filter needs of a packet, in terms of the keys by which blocks are indexed. Filters give needs
// (filter/needs.h), the index answers them; both rooms build upon this file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/key.h"

namespace spillway {

// Any key of `kind` whose value is in [low, high], both ends included. One key: low == high.
struct Need {
  KeyKind kind;
  uint64_t low;
  uint64_t high;
  friend bool operator==(const Need&, const Need&) = default;
};

// At least one of these. Never empty.
using NeedClause = std::vector<Need>;

// Alternatives that a clause may have, and values that a range of anything but addresses may stand for; beyond that
// asking the index costs more than it saves.
constexpr size_t kMaxAlternatives = 64;

// What every packet that the filter accepts holds: one alternative of every clause. No clause: nothing is known.
struct Needs {
  std::vector<NeedClause> clauses;
  bool never = false;  // the filter accepts no packet at all
};

}  // namespace spillway
