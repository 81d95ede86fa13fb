// Ticks to nanoseconds for all 256 resolutions, against arithmetic of another kind: decimal digits written out.
#include <algorithm>
#include <string>

#include "capture.h"
#include "check.h"
#include "format/pcapng_reader.h"
#include "format/pcapng_writer.h"
#include "random.h"

namespace spillway::test {
namespace {

// A whole number of any size, little-endian decimal digits.
class Decimal {
 public:
  explicit Decimal(uint64_t v) {
    for (; v != 0; v /= 10) digits_.push_back(static_cast<uint8_t>(v % 10));
  }
  void times(uint32_t factor) {
    uint64_t carry = 0;
    for (uint8_t& digit : digits_) {
      carry += static_cast<uint64_t>(digit) * factor;
      digit = static_cast<uint8_t>(carry % 10);
      carry /= 10;
    }
    for (; carry != 0; carry /= 10) digits_.push_back(static_cast<uint8_t>(carry % 10));
  }
  void by(uint32_t divisor) {
    uint64_t rest = 0;
    for (size_t i = digits_.size(); i-- > 0;) {
      rest = rest * 10 + digits_[i];
      digits_[i] = static_cast<uint8_t>(rest / divisor);
      rest %= divisor;
    }
    while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  }
  // Of numbers below 2^120.
  Int128 value() const {
    Int128 v = 0;
    for (size_t i = digits_.size(); i-- > 0;) v = v * 10 + digits_[i];
    return v;
  }

 private:
  std::vector<uint8_t> digits_;
};

// Nanoseconds of `ticks` before the offset: ticks * 10^9 * base^-exponent, towards zero.
Int128 reference(uint8_t resolution, uint64_t ticks) {
  Decimal value(ticks);
  for (int i = 0; i < 9; ++i) value.times(10);
  for (int i = 0; i < (resolution & 127); ++i) value.by(resolution & 128 ? 2 : 10);
  return value.value();
}

std::string shownTime(Int128 v) {
  if (v < 0) return "-" + shownTime(-v);
  return v < 10 ? std::string(1, static_cast<char>('0' + static_cast<int>(v))) : shownTime(v / 10) + shownTime(v % 10);
}

Interface interfaceOf(uint8_t resolution, int64_t offset) {
  Interface interface;
  interface.resolution = {(resolution & 128) != 0, static_cast<uint8_t>(resolution & 127)};
  interface.offset_seconds = offset;
  return interface;
}

// `before`: the reference of `ticks`, without the offset.
void checkClock(uint8_t resolution, int64_t offset, uint64_t ticks, Int128 before) {
  const ClampedNanos got = PcapngReader::Clock(interfaceOf(resolution, offset)).nanos(ticks);
  const Int128 exact = before + static_cast<Int128>(offset) * 1'000'000'000;
  const Int128 want = std::min<Int128>(std::max<Int128>(exact, kNanosMin), kNanosMax);
  if (got.ns == want && got.clamped == (exact != want)) return;
  CONTEXT("resolution " << static_cast<int>(resolution) << ", offset " << offset << ", ticks " << ticks);
  CHECK_EQ(shownTime(got.ns), shownTime(want));
  CHECK_EQ(got.clamped, exact != want);
}

const int64_t kOffsets[] = {0, 1, -1, 1234567890, -1700000000, 9223372036, -9223372037, INT64_MAX, INT64_MIN};

}  // namespace

TEST("every resolution, at the edges") {
  std::vector<uint64_t> edges;
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = 1ull << bit;
    for (const uint64_t ticks : {power - 1, power, power + 1, ~power}) edges.push_back(ticks);
  }
  uint64_t power = 1;
  for (int digits = 0; digits < 20; ++digits, power *= 10)
    for (const uint64_t ticks : {power - 1, power, power + 1}) edges.push_back(ticks);
  for (int number = 0; number < 256; ++number) {
    const auto resolution = static_cast<uint8_t>(number);
    for (const uint64_t ticks : edges) {
      const Int128 before = reference(resolution, ticks);
      for (const int64_t offset : kOffsets) checkClock(resolution, offset, ticks, before);
    }
  }
}

TEST("every resolution, at random") {
  Random random(5);
  for (int number = 0; number < 256; ++number) {
    const auto resolution = static_cast<uint8_t>(number);
    for (int round = 0; round < 60; ++round) {
      const auto offset = static_cast<int64_t>(random.next()) >> random.below(64);
      const uint64_t ticks = random.next() >> random.below(64);
      checkClock(resolution, offset, ticks, reference(resolution, ticks));
    }
  }
}

TEST("the resolution and offset of an interface are taken from its options") {
  for (const bool big : {false, true}) {
    for (int resolution = 0; resolution < 256; resolution += 5) {
      CONTEXT("resolution " << resolution << (big ? " big" : " little"));
      const Pcapng ng{big};
      const Buffer file = ng.section() + ng.interface(1, 0, ng.clock(static_cast<uint8_t>(resolution), -5)) +
                          ng.enhanced(0, 0x0123456789abcdef, payload(4));
      PcapngReader reader;
      Packet packet;
      Exact block(file);
      size_t at = 0;
      CHECK_EQ(reader.next(block.data() + at, block.size() - at, &packet), Next::section);
      at += packet.record.size;
      CHECK_EQ(reader.next(block.data() + at, block.size() - at, &packet), Next::interface);
      at += packet.record.size;
      CHECK_EQ(reader.next(block.data() + at, block.size() - at, &packet), Next::packet);
      const Int128 exact = reference(static_cast<uint8_t>(resolution), 0x0123456789abcdef) - 5'000'000'000;
      CHECK_EQ(packet.time_clamped, exact > kNanosMax);
      CHECK_EQ(shownTime(packet.time), shownTime(std::min<Int128>(exact, kNanosMax)));
    }
  }
}

TEST("what a writer's clock gives reads back") {
  Random random(6);
  for (int round = 0; round < 20000; ++round) {
    const bool nanos = round % 2 != 0;
    const int64_t offset = kOffsets[random.below(std::size(kOffsets))];
    Packet packet;
    packet.time = static_cast<int64_t>(random.next()) >> random.below(64);
    const Interface interface = interfaceOf(nanos ? 9 : 6, offset);
    uint64_t ticks = 0;
    if (!pcapng::ticksOf(packet, interface, nanos, &ticks)) continue;
    const ClampedNanos back = PcapngReader::Clock(interface).nanos(ticks);
    const Int128 cut = nanos ? 0 : ((static_cast<Int128>(packet.time) % 1000) + 1000) % 1000;
    // Only the cut to microseconds may take a time below the smallest one.
    CHECK_EQ(back.clamped, static_cast<Int128>(packet.time) - cut < kNanosMin);
    if (!back.clamped) CHECK_EQ(shownTime(back.ns), shownTime(packet.time - cut));
  }
}

}  // namespace spillway::test
