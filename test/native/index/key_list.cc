// Lists of distinct keys: to bytes and back, and the set that gathers them.
#include "index/key_list.h"

#include <algorithm>
#include <set>

#include "check.h"
#include "index/fresh_keys.h"
#include "random.h"

namespace spillway::test {
namespace {

KeyList randomList(Random& random) {
  std::set<uint32_t> values;
  const uint32_t reach = 1u << random.below(32);
  const size_t count = random.below(200);
  while (values.size() < count && values.size() < reach) values.insert(static_cast<uint32_t>(random.below(reach)));
  if (random.below(4) == 0) values.insert(UINT32_MAX);
  if (random.below(4) == 0) values.insert(0);
  return {values.begin(), values.end()};
}

TEST("lists come back as they were, and no part of one does") {
  Random random(1);
  for (int n = 0; n < 500; ++n) {
    const KeyList list = randomList(random);
    Buffer bytes;
    encodeKeyList(list, &bytes);
    CHECK(bytes.size() <= kMaxListedBytes * list.size());
    KeyList back;
    CHECK(decodeKeyList(Exact(bytes).bytes(), list.size(), &back));
    for (int k = 0; k < 20; ++k) {
      // One of them, or its neighbour, or anything.
      uint32_t value = static_cast<uint32_t>(random.next());
      if (!list.empty() && k % 4 != 0) value = list[random.below(list.size())] + static_cast<uint32_t>(k % 3);
      const bool there = std::binary_search(list.begin(), list.end(), value);
      CHECK(findInKeyList(Exact(bytes).bytes(), list.size(), value) == (there ? Listing::present : Listing::absent));
    }
    CHECK(back == list);
    if (list.empty()) continue;
    const size_t cut = random.below(bytes.size());
    CHECK(!decodeKeyList(Exact(bytes.data(), cut).bytes(), list.size(), &back));
    CHECK(!decodeKeyList(bytesOf(bytes), list.size() - 1, &back));
    CHECK(!decodeKeyList(bytesOf(bytes), list.size() + 1, &back));
    CHECK(!decodeKeyList(bytesOf(bytes + Buffer{0}), list.size(), &back));
  }
}

TEST("a list's numbers stay below 2^32") {
  KeyList list;
  CHECK(decodeKeyList(bytesOf({0xff, 0xff, 0xff, 0xff, 0x0f}), 1, &list));
  CHECK_EQ(list[0], UINT32_MAX);
  CHECK(!decodeKeyList(bytesOf({0x80, 0x80, 0x80, 0x80, 0x10}), 1, &list));
  CHECK(!decodeKeyList(bytesOf({0xff, 0xff, 0xff, 0xff, 0x0f, 0x00}), 2, &list));
  CHECK(!decodeKeyList(bytesOf({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), 1, &list));
  CHECK(!decodeKeyList(bytesOf({0x00}), SIZE_MAX, &list));
}

TEST("whatever bytes are taken for a list, it ascends") {
  Random random(2);
  for (int n = 0; n < 20000; ++n) {
    Buffer bytes = random.bytes(random.below(12));
    if (random.below(2) == 0)
      for (uint8_t& byte : bytes) byte &= 0x83;
    KeyList list;
    const size_t count = random.below(bytes.size() + 2);
    if (!decodeKeyList(Exact(bytes).bytes(), count, &list)) continue;
    CHECK_EQ(list.size(), count);
    for (size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1] < list[i]);
  }
}

TEST("a key set says of each value once that it is new") {
  Random random(3);
  for (const uint64_t reach : {UINT64_C(100), UINT64_C(70000), UINT64_C(1) << 21, UINT64_C(1) << 32}) {
    KeySet set;
    std::set<uint32_t> want;
    KeyList fresh;
    for (int batch = 0; batch < 40; ++batch) {
      std::vector<uint32_t> values;
      for (size_t n = random.below(1000); n > 0; --n) values.push_back(static_cast<uint32_t>(random.below(reach)));
      set.insert(values, &fresh);
      want.insert(values.begin(), values.end());
    }
    CHECK_EQ(fresh.size(), want.size());
    CHECK(std::set<uint32_t>(fresh.begin(), fresh.end()) == want);
    CHECK(!set.tooMany());
    set.clear();
    fresh.clear();
    set.insert(std::vector<uint32_t>{5, 5}, &fresh);
    CHECK_EQ(fresh.size(), 1);
  }
}

TEST("a key set takes 65,536 values and not one more") {
  for (const uint32_t step : {1u, 65537u}) {
    KeySet set;
    KeyList fresh;
    std::vector<uint32_t> values;
    for (uint32_t n = 0; n < kMaxListed; ++n) values.push_back(n * step);
    set.insert(values, &fresh);
    set.insert(values, &fresh);
    CHECK(!set.tooMany());
    CHECK_EQ(fresh.size(), kMaxListed);
    set.insert(std::vector<uint32_t>{0xfffffff0}, &fresh);
    CHECK(set.tooMany());
  }
}

TEST("recent keys: a value is fresh at first, whatever it is") {
  for (uint64_t value : {UINT64_C(0), UINT64_C(1), UINT64_C(2), UINT64_MAX, UINT64_C(0x9e3779b97f4a7c15)}) {
    RecentKeys<uint64_t, 4> recent;
    for (int round = 0; round < 2; ++round) {
      CHECK(recent.isFresh(value));
      CHECK(!recent.isFresh(value));
      recent.clear();
    }
  }
  PortSet ports;
  for (uint32_t port = 0; port < 65536; ++port) CHECK(ports.isFresh(static_cast<uint16_t>(port)));
  for (uint32_t port = 0; port < 65536; ++port) CHECK(!ports.isFresh(static_cast<uint16_t>(port)));
}

TEST("recent keys: among other values one may be fresh again, and is never missed") {
  Random random(4);
  RecentKeys<uint32_t, 5> recent;
  std::set<uint32_t> seen;
  for (int n = 0; n < 20000; ++n) {
    const auto value = static_cast<uint32_t>(random.below(500));
    if (seen.insert(value).second) CHECK(recent.isFresh(value));
    else recent.isFresh(value);
  }
}

}  // namespace
}  // namespace spillway::test
