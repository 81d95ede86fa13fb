// The record of losses.
#include "capture/losses.h"

#include "capture/folder.h"
#include "capture/limits.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

TEST("losses are kept, one behind another, over several openings") {
  const TemporaryFolder folder;
  std::vector<Loss> all;
  for (int opening = 0; opening < 3; ++opening) {
    LossLog log;
    CHECK_EQ(log.open(folder.path()), 0);
    for (int i = 0; i < 3; ++i) {
      const Loss loss{static_cast<LossKind>(1 + i), 100 * opening + i, 100 * opening + 50, kUnknownPackets - i, 7};
      all.push_back(loss);
      CHECK_EQ(log.append(loss), 0);
      CHECK(readLosses(folder.path()) == all);
    }
    CHECK_EQ(log.sync(), 0);
  }
}

TEST("a record that was not finished is cut, and the next stands in its place") {
  const Loss first{LossKind::ring, 1, 2, 3, 4}, second{LossKind::disk, 5, 6, 7, 8},
      third{LossKind::queue, 9, 10, 11, 12};
  for (size_t cut = 1; cut <= 48; ++cut) {
    const TemporaryFolder folder;
    {
      LossLog log;
      CHECK_EQ(log.open(folder.path()), 0);
      CHECK_EQ(log.append(first), 0);
      CHECK_EQ(log.append(second), 0);
    }
    Buffer file = folder.read("losses");
    file.resize(file.size() - cut);
    folder.write("losses", file);
    CHECK(readLosses(folder.path()) == std::vector<Loss>{first});
    LossLog log;
    CHECK_EQ(log.open(folder.path()), 0);
    CHECK_EQ(log.append(third), 0);
    CHECK(readLosses(folder.path()) == (std::vector<Loss>{first, third}));
  }
}

TEST("a record that has grown large begins anew with its newer half") {
  const TemporaryFolder folder;
  const size_t many = capture::limits::kMaxLossBytes / 48 + 1;
  {
    LossLog log;
    CHECK_EQ(log.open(folder.path()), 0);
    for (uint64_t n = 0; n < 3; ++n) CHECK_EQ(log.append({LossKind::ring, 0, 1, n, n}), 0);
    const Buffer file = folder.read("losses");
    Buffer large(file.begin(), file.begin() + 16);
    while (large.size() < many * 48) large.insert(large.end(), file.begin() + 16, file.end());
    folder.write("losses", large);
  }
  const auto before = readLosses(folder.path());
  LossLog log;
  CHECK_EQ(log.open(folder.path()), 0);
  CHECK_EQ(log.append({LossKind::disk, 5, 6, 7, 8}), 0);
  auto after = readLosses(folder.path());
  CHECK_EQ(after.size(), capture::limits::kMaxLossBytes / 48 / 2 + 1);
  CHECK(after.back().kind == LossKind::disk);
  after.pop_back();
  CHECK(std::equal(after.rbegin(), after.rend(), before.rbegin()));
}

TEST("damage ends the list") {
  const TemporaryFolder folder;
  LossLog log;
  CHECK_EQ(log.open(folder.path()), 0);
  for (uint64_t n = 0; n < 3; ++n) CHECK_EQ(log.append({LossKind::ring, 0, 1, n, n}), 0);
  const Buffer file = folder.read("losses");
  for (size_t at = 0; at < file.size(); ++at) {
    Buffer damaged = file;
    damaged[at] ^= 4;
    const Exact exact(damaged);
    CHECK_EQ(decodeLosses(exact.bytes()).size(), at < 16 ? 0 : (at - 16) / 48);
  }
}

TEST("losses of one kind that touch are one") {
  std::vector<Loss> list;
  mergeLoss(&list, {LossKind::ring, 10, 20, 1, 0});
  mergeLoss(&list, {LossKind::ring, 20, 30, 2, 0});
  CHECK(list == (std::vector<Loss>{{LossKind::ring, 10, 30, 3, 0}}));
  mergeLoss(&list, {LossKind::ring, 31, 40, 4, 0});   // a moment without loss between
  mergeLoss(&list, {LossKind::queue, 40, 50, 5, 0});  // another kind
  mergeLoss(&list, {LossKind::queue, 50, 60, 6, 1});  // another segment
  CHECK_EQ(list.size(), 4u);
  // Gaps have no number to add.
  mergeLoss(&list, {LossKind::link_down, 60, 70, kUnknownPackets, 0});
  mergeLoss(&list, {LossKind::link_down, 70, 80, kUnknownPackets, 0});
  CHECK_EQ(list.size(), 6u);
  LossTotals totals;
  for (const Loss& loss : list) totals.add(loss);
  CHECK_EQ(totals.ring, 7u);
  CHECK_EQ(totals.queue, 11u);
  CHECK_EQ(totals.sum(), 18u);
}

TEST("a clock that is set back: a loss still begins before it ends, and holds both readings") {
  CHECK(lossBetween(LossKind::ring, 50, 20, 3) == (Loss{LossKind::ring, 20, 50, 3, 0}));
  CHECK(lossBetween(LossKind::stopped, 20, 50, kUnknownPackets) ==
        (Loss{LossKind::stopped, 20, 50, kUnknownPackets, 0}));
  std::vector<Loss> list;
  mergeLoss(&list, {LossKind::ring, 100, 110, 1, 0});
  mergeLoss(&list, {LossKind::ring, 30, 110, 2, 0});  // the clock went from 110 to 30
  mergeLoss(&list, {LossKind::ring, 30, 40, 4, 0});
  CHECK(list == (std::vector<Loss>{{LossKind::ring, 30, 110, 7, 0}}));
}

}  // namespace spillway::test
