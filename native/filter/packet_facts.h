// What is proven of a packet's bytes by the comparisons on the way to a place in a program.
#pragma once
#include <cstdint>
#include <vector>

#include "filter/clauses.h"
#include "filter/key_places.h"
#include "filter/value_set.h"

namespace spillway {

class PacketFacts {
 public:
  // The bits `mask` of what `load` reads are one of `values`. Returns false when that contradicts what is known: no
  // packet comes here. A fact that would cost too much to carry is forgotten.
  bool learn(const Load& load, uint32_t mask, const ValueSet& values);

  // Whether anything is known of just these bits.
  bool knows(const Load& load, uint32_t mask) const { return find(load, mask) != nullptr; }

  // Keeps what holds whichever of the two holds.
  void join(const PacketFacts& other);

  // Adds a clause for each key whose place is known, with all its guards.
  void addClauses(const std::vector<KeyPlace>& places, Clauses& to) const;

 private:
  struct Fact {
    Load load;
    uint32_t mask;
    ValueSet values;  // of the bits `mask`, where they stand
  };

  const Fact* find(const Load& load, uint32_t mask) const;
  bool proven(const Guard& guard) const;
  void addSingle(const KeyPlace& place, Clauses& to) const;
  void addAssembled(const KeyPlace& place, Clauses& to) const;

  std::vector<Fact> facts_;
};

}  // namespace spillway
