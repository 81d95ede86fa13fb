// Block filters: no key is lost, and few absent ones are let through.
#include "index/bloom.h"

#include "check.h"
#include "index/key_list.h"
#include "random.h"

namespace spillway::test {
namespace {

uint64_t hashOf(uint64_t n) { return bloom::hashKey(KeyKind::ip4, n * 2654435761u % (1u << 31)); }

TEST("classes of filters grow, and the one chosen gives each key 8 bits") {
  CHECK_EQ(bloom::bytesOf(0), 0);
  for (uint8_t c = 1; c < bloom::kMaxClass; ++c) {
    CHECK(bloom::bytesOf(c) < bloom::bytesOf(c + 1));
    CHECK(bloom::bytesOf(c + 1) * bloom::kSteps <= bloom::bytesOf(c) * (bloom::kSteps + 1));
  }
  CHECK_EQ(bloom::classFor(0), 0);
  for (size_t keys = 1; keys <= bloom::kMaxBytes; ++keys) {
    const uint8_t c = bloom::classFor(keys);
    CHECK(bloom::bytesOf(c) >= keys);
    CHECK(c == 1 || bloom::bytesOf(c - 1) < keys);
  }
  CHECK_EQ(bloom::classFor(1000000), bloom::kMaxClass);
}

TEST("a filter holds every key it was given, and lets through less than 3 of 100 others") {
  for (const size_t keys : {1, 8, 64, 65, 300, 565, 1000, 2108, 5000, 8192}) {
    const size_t bytes = bloom::bytesOf(bloom::classFor(keys));
    CONTEXT(keys << " keys in " << bytes << " bytes");
    Buffer filter(bytes);
    for (uint64_t n = 0; n < keys; ++n) bloom::add(filter.data(), bytes, hashOf(n));
    for (uint64_t n = 0; n < keys; ++n) CHECK(bloom::mayHold(bytesOf(filter), hashOf(n)));
    constexpr uint64_t kAbsent = 40000;
    uint64_t through = 0;
    for (uint64_t n = 0; n < kAbsent; ++n) through += bloom::mayHold(bytesOf(filter), hashOf(keys + n)) ? 1 : 0;
    // 2.4% are expected at 8 bits a key; the spread over 40,000 is less than 0.1%.
    CHECK(through * 1000 < kAbsent * 30);
  }
}

TEST("no filter holds anything") { CHECK(!bloom::mayHold({}, hashOf(1))); }

TEST("a place in a filter lies within it") {
  Random random(1);
  for (int n = 0; n < 100000; ++n) {
    const auto bits =
        static_cast<uint32_t>(8 * bloom::bytesOf(static_cast<uint8_t>(1 + random.below(bloom::kMaxClass))));
    const uint64_t hash = n == 0 ? 0 : n == 1 ? UINT64_MAX : random.next();
    for (uint32_t probe = 0; probe < bloom::kProbes; ++probe) CHECK(bloom::bitOf(hash, probe, bits) < bits);
  }
}

// They stand in index files: whoever changes them must raise kSidecarVersion, and then these.
TEST("hashes and places are those of the files there are") {
  CHECK_EQ(bloom::hashKey(KeyKind::ip4, 0x0a000001), UINT64_C(13612054590365319360));
  CHECK_EQ(bloom::hashKey(KeyKind::port, 443), UINT64_C(5937099830390319176));
  CHECK_EQ(bloom::bitOf(UINT64_C(0x0123456789abcdef), 3, 4608), 2539);
  CHECK_EQ(bloom::bytesOf(20), 102);
  CHECK_EQ(listedValue({KeyKind::ip4, 0x0a000001}), 0x0a000001);
  CHECK_EQ(listedValue({KeyKind::mac, 0x020000000001}), 157119);
}

}  // namespace
}  // namespace spillway::test
