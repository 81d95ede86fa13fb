// Time windows, and the programs of a link type.
#include "scan/selection.h"

#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

Selection withWindows(std::vector<Window> windows) { return {Format::none, 0, std::move(windows), {}}; }

std::unique_ptr<const Program> returns(uint32_t k) {
  Buffer code(8);
  code[0] = 6;
  store32(&code[4], k);
  std::string why;
  return Program::verify(bytesOf(code), &why);
}

}  // namespace

TEST("windows are half-open") {
  const Selection selection = withWindows({{-5, 0}, {10, 20}, {20, 21}, {30, 30}, {40, kNanosMax}});
  CHECK(!selection.everyTime());
  const struct {
    Nanos time;
    bool in;
  } cases[] = {{kNanosMin, false}, {-6, false}, {-5, true},  {-1, true}, {0, false},
               {9, false},         {10, true},  {19, true},  {20, true}, {21, false},
               {29, false},        {30, false}, {39, false}, {40, true}, {kNanosMax - 1, true},
               {kNanosMax, true}};  // the largest time as an end means none
  for (const auto& one : cases) {
    CONTEXT("time " << one.time);
    CHECK_EQ(selection.inWindows(one.time), one.in);
  }
}

TEST("the ends of time") {
  CHECK(withWindows({{kNanosMin, kNanosMax}}).inWindows(kNanosMin));
  CHECK(withWindows({{kNanosMin, kNanosMax}}).inWindows(kNanosMax));
  CHECK(withWindows({{kNanosMin, kNanosMin + 1}}).inWindows(kNanosMin));
  CHECK(!withWindows({{kNanosMin, kNanosMin}}).inWindows(kNanosMin));
  CHECK(withWindows({{kNanosMax, kNanosMax}}).inWindows(kNanosMax));
  CHECK(!withWindows({{5, 5}}).inWindows(5));
  CHECK(withWindows({}).everyTime());
}

TEST("many windows are searched like one after the other") {
  Random random(31);
  for (int round = 0; round < 300; ++round) {
    std::vector<Window> windows;
    Nanos at = static_cast<Nanos>(random.below(10));
    for (uint64_t n = random.below(30); n > 0; --n) {
      const Nanos start = at + static_cast<Nanos>(random.below(5));
      at = start + static_cast<Nanos>(random.below(5));
      windows.push_back({start, at});
    }
    const Selection selection = withWindows(windows);
    for (Nanos time = 0; time < at + 5; ++time) {
      bool in = false;
      for (const Window& window : windows) in |= window.start <= time && time < window.end;
      if (!windows.empty()) CHECK_EQ(selection.inWindows(time), in);
    }
  }
}

TEST("a chain has one program of every filter") {
  std::vector<Selection::Filter> filters(2);
  filters[0].emplace_back(1, returns(11));
  filters[0].emplace_back(113, returns(12));
  filters[1].emplace_back(113, returns(21));
  filters[1].emplace_back(1, returns(22));
  filters[1].emplace_back(147, returns(23));
  const Selection selection(Format::none, 0, {}, std::move(filters));
  CHECK(!selection.everyPacket());
  Selection::Chain chain(5);
  CHECK(selection.chainFor(1, &chain));
  CHECK_EQ(chain.size(), 2u);
  CHECK_EQ(chain[0]->run(nullptr, 0, 0), 11u);
  CHECK_EQ(chain[1]->run(nullptr, 0, 0), 22u);
  CHECK(selection.chainFor(113, &chain));
  CHECK_EQ(chain.size(), 2u);
  CHECK_EQ(chain[0]->run(nullptr, 0, 0), 12u);
  CHECK(!selection.chainFor(147, &chain));  // the first filter has none
  CHECK(!selection.chainFor(2, &chain));
  CHECK(withWindows({}).chainFor(7, &chain));
  CHECK(chain.empty());
}

}  // namespace spillway::test
