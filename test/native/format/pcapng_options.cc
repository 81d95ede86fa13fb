// Walking options that lie, and turning their numbers round.
#include "format/pcapng_options.h"

#include "capture.h"
#include "check.h"
#include "random.h"

namespace spillway::test {
namespace {

using namespace spillway::pcapng;

struct Found {
  uint16_t code;
  Buffer value;
  bool operator==(const Found&) const = default;
};

std::vector<Found> walked(const Buffer& options, bool big) {
  const Exact block(options);
  std::vector<Found> found;
  OptionWalk walk(block.bytes(), Order{big});
  for (Option option{}; walk.next(&option);) found.push_back({option.code, copyOf({option.value, option.length})});
  return found;
}

Buffer copied(const Buffer& options, bool big, OptionScope scope) {
  const Exact block(options);
  const size_t bound = copiedOptionsBound(options.size());
  const std::unique_ptr<uint8_t[]> to(new uint8_t[bound]);
  const size_t size = copyOptions(block.bytes(), Order{big}, scope, to.get());
  CHECK(size <= bound);
  return {to.get(), to.get() + size};
}

}  // namespace

TEST("options are walked to their end, whatever they say") {
  for (const bool big : {false, true}) {
    CONTEXT((big ? "big" : "little"));
    const Pcapng ng{big};
    const Buffer one = ng.option(1, {'h', 'e', 'y'});
    const Found hey{1, {'h', 'e', 'y'}};
    CHECK(walked({}, big).empty());
    CHECK(walked({0, 0, 0}, big).empty());
    CHECK(walked(one, big) == std::vector{hey});
    CHECK(walked(one + one + ng.end(), big) == (std::vector{hey, hey}));
    CHECK(walked(one + ng.end() + one, big) == std::vector{hey});  // what follows the end is none
    CHECK(walked(ng.option(1, {}) + one, big) == (std::vector{Found{1, {}}, hey}));
    // Without its padding at the end of the bytes it still is one.
    CHECK(walked(Put(big).u16(1).u16(3).raw({'h', 'e', 'y'}).out, big) == std::vector{hey});
    // One that does not fit ends the walk.
    CHECK(walked(one + Put(big).u16(2).u16(5).raw({1, 2, 3, 4}).out, big) == std::vector{hey});
    CHECK(walked(one + Put(big).u16(2).u16(0xffff).out, big) == std::vector{hey});
    CHECK(walked(one + Put(big).u16(2).out, big) == std::vector{hey});
    // An end mark with a length is an end.
    CHECK(walked(one + Put(big).u16(0).u16(4).raw({1, 2, 3, 4}).out + one, big) == std::vector{hey});
    const Buffer longest(65535, 7);
    CHECK(walked(ng.option(9, longest) + one, big) == (std::vector{Found{9, longest}, hey}));
  }
}

TEST("an option is written with zeroes as its padding") {
  const Buffer value = {1, 2, 3, 4, 5};
  Buffer to(14, 0x99);
  CHECK_EQ(putOption(to.data(), 0x1234, value.data(), 5), 12u);
  CHECK_EQ(to, (Buffer{0x34, 0x12, 5, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0x99, 0x99}));
  Buffer nothing(5, 0x99);
  CHECK_EQ(putOption(nothing.data(), 2, nullptr, 0), 4u);
  CHECK_EQ(nothing, (Buffer{2, 0, 0, 0, 0x99}));
}

TEST("numbers in options are turned round, bytes are not") {
  const Buffer eight = {1, 2, 3, 4, 5, 6, 7, 8};
  const Buffer reversed = {8, 7, 6, 5, 4, 3, 2, 1};
  const Buffer pen_reversed = {4, 3, 2, 1, 5, 6, 7, 8};
  enum { as_is, u32, u64, pen, left_out };
  const struct {
    OptionScope scope;
    uint16_t code;
    int what;
  } cases[] = {
      {OptionScope::section, kComment, as_is},
      {OptionScope::section, 2, as_is},
      {OptionScope::section, kIfResolution, as_is},
      {OptionScope::section, kCustomText, pen},
      {OptionScope::interface, kIfName, as_is},
      {OptionScope::interface, 4, as_is},  // an IPv4 address and its mask
      {OptionScope::interface, 7, as_is},  // an EUI address
      {OptionScope::interface, kIfSpeed, u64},
      {OptionScope::interface, kIfTxSpeed, u64},
      {OptionScope::interface, kIfRxSpeed, u64},
      {OptionScope::interface, kIfTimeZone, u32},
      {OptionScope::interface, kIfResolution, left_out},
      {OptionScope::interface, kIfOffset, left_out},
      {OptionScope::interface, kCustomBytes, pen},
      {OptionScope::packet, kPacketFlags, u32},
      {OptionScope::packet, kPacketQueue, u32},
      {OptionScope::packet, kPacketDropCount, u64},
      {OptionScope::packet, kPacketId, u64},
      {OptionScope::packet, 3, as_is},  // a hash
      {OptionScope::packet, kIfResolution, as_is},
      {OptionScope::packet, kCustomText, pen},
      {OptionScope::packet, kCustomBytes, pen},
  };
  for (const bool big : {false, true}) {
    for (const auto& one : cases) {
      CONTEXT((big ? "big" : "little") << ", scope " << static_cast<int>(one.scope) << ", code " << one.code);
      Buffer value = one.what == u32 ? Buffer{1, 2, 3, 4} : eight;
      const Buffer got = copied(Pcapng{big}.option(one.code, value) + Pcapng{big}.end(), big, one.scope);
      if (big && one.what == u32) value = {4, 3, 2, 1};
      if (big && one.what == u64) value = reversed;
      if (big && one.what == pen) value = pen_reversed;
      CHECK_EQ(got, one.what == left_out ? Buffer{} : Pcapng{}.option(one.code, value));
    }
  }
}

TEST("numbers of the wrong length are bytes") {
  for (const uint16_t code : {kPacketFlags, kPacketQueue, kPacketDropCount, kPacketId, kCustomText, kCustomBytes}) {
    for (size_t size = 0; size < 4; ++size) {
      const Buffer value = payload(size);
      CHECK_EQ(copied(Pcapng{true}.option(code, value), true, OptionScope::packet), Pcapng{}.option(code, value));
    }
  }
}

TEST("copies of random options stay in their bounds and read the same") {
  Random random(11);
  for (int round = 0; round < 20000; ++round) {
    const bool big = round % 2 != 0;
    Buffer options = random.bytes(random.below(20) * 4);
    // Small codes and lengths, or nothing fits.
    for (size_t at = 0; at + 4 <= options.size(); at += 4) {
      if (random.below(3) == 0) continue;
      const Buffer head =
          Put(big).u16(static_cast<uint16_t>(random.below(20))).u16(static_cast<uint16_t>(random.below(12))).out;
      std::copy(head.begin(), head.end(), options.begin() + static_cast<long>(at));
    }
    const auto before = walked(options, big);
    const auto after = walked(copied(options, big, OptionScope::section), false);
    CHECK_EQ(before.size(), after.size());
    for (size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
      CHECK_EQ(before[i].code, after[i].code);
      CHECK_EQ(before[i].value.size(), after[i].value.size());
      if (before[i].code < kCustomText) CHECK_EQ(before[i].value, after[i].value);
    }
    copied(options, big, OptionScope::packet);
    copied(options, big, OptionScope::interface);
  }
}

}  // namespace spillway::test
