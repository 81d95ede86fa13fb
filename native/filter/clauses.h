// The clauses that hold for all packets that reach a place in a program.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "index/need.h"

namespace spillway {

class Clauses {
 public:
  // Adds what holds as well. A clause that asks too much of an index, or that another here implies, is not kept; nor
  // are the least selective of too many.
  void add(NeedClause clause);

  // What holds whichever of the two held: the unions of their clauses, two by two. `work` bounds the time of all joins
  // of a program: it is counted down, and once it is used up only clauses that both sides carry along stay.
  static Clauses join(const Clauses& a, const Clauses& b, int64_t& work);

  // The most selective first, at most kMaxNeedClauses. What another asks for anyway (who asks for a port asks for IP)
  // is left out.
  std::vector<NeedClause> list() const;

 private:
  struct Ranked {
    NeedClause needs;  // sorted; alternatives of one kind do not overlap
    uint64_t weight;   // a guess of how many blocks satisfy it
  };
  using Shared = std::shared_ptr<const Ranked>;  // states of a program carry most of their clauses in common

  void insert(Shared clause);
  bool carries(const Shared& clause) const;

  std::vector<Shared> sorted_;
};

}  // namespace spillway
