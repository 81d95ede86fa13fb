// The heap of heads against a sorted list.
#include "scan/heads.h"

#include <algorithm>

#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

bool same(const Head& a, const Head& b) { return a.time == b.time && a.source == b.source; }

// The heads in order, as a plain list.
struct Listed {
  std::vector<Head> heads;
  void sort() {
    std::sort(heads.begin(), heads.end(), [](const Head& a, const Head& b) { return a.before(b); });
  }
};

}  // namespace

TEST("of equal times the source added first comes first") {
  CHECK((Head{1, 5}.before({2, 0})));
  CHECK((Head{1, 0}.before({1, 1})));
  CHECK((!Head{1, 1}.before({1, 1})));
  CHECK((Head{kNanosMax, 1023}.before(Heads::kLast)));
  CHECK((Head{kNanosMin, 1}.before({kNanosMin + 1, 0})));
}

TEST("first and second are those of a sorted list, whatever changes") {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    CONTEXT("round " << round);
    Heads heads;
    Listed listed;
    const uint64_t sources = 1 + random.below(40);
    // Few times, so that many are equal.
    const uint64_t times = 1 + random.below(30);
    for (uint32_t i = 0; i < sources; ++i) {
      const Head head{static_cast<Nanos>(random.below(times)), i};
      heads.add(head);
      listed.heads.push_back(head);
    }
    for (int step = 0; step < 200 && !listed.heads.empty(); ++step) {
      listed.sort();
      CHECK(!heads.empty());
      CHECK(same(heads.first(), listed.heads[0]));
      CHECK(same(heads.second(), listed.heads.size() > 1 ? listed.heads[1] : Heads::kLast));
      if (random.below(8) == 0) {
        heads.removeFirst();
        listed.heads.erase(listed.heads.begin());
      } else {
        const Nanos time = static_cast<Nanos>(random.below(times));
        heads.changeFirst(time);
        listed.heads[0].time = time;
      }
    }
    CHECK_EQ(heads.empty(), listed.heads.empty());
  }
}

}  // namespace spillway::test
