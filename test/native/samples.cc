#include "samples.h"

#include "random.h"

namespace spillway::test {
namespace {

Buffer smallPcap(const Pcap& form) {
  Buffer file = form.header();
  for (uint8_t i = 0; i < 12; ++i)
    file = file + form.record(1700000000 + i, 1000u * i, i * 3u, i * 3u + 100, payload(i * 3u, i));
  return file;
}

// Without anything that another format could not hold.
Buffer plainPcapng(const Pcapng& ng, uint8_t resolution) {
  Buffer file = ng.section() + ng.interface(1, 96, ng.clock(resolution));
  const uint64_t second = resolution == 9 ? 1'000'000'000 : 1'000'000;
  for (uint8_t i = 0; i < 12; ++i) file = file + ng.enhanced(0, (1700000000 + i) * second + i, payload(i * 3u, i));
  return file;
}

Buffer richPcapng(const Pcapng& ng, const Pcapng& other) {
  const Buffer comment = ng.option(1, payload(11));
  return ng.section(ng.option(3, payload(7)) + ng.end()) +
         ng.interface(1, 20, ng.option(2, {'e', 'n', '0'}) + ng.clock(9)) + ng.block(0xbad, payload(16)) +
         ng.enhanced(0, 1700000000'000000001, payload(9)) +
         ng.enhanced(0, 1700000000'000000002, 13, 77, payload(13, 1),
                     comment + ng.option(4, Put(ng.big).u64(3).out) + ng.end()) +
         ng.interface(113, 0, ng.clock(6, 100)) + ng.enhanced(1, 1700000000'000003, payload(30, 2)) +
         ng.simple(50, payload(20, 3)) + ng.obsolete(0, 9, 1700000000'000000004, 5, 50, payload(5, 4), comment) +
         ng.block(5, payload(24)) + other.section() + other.interface(1, 0, other.clock(0x94)) +
         other.enhanced(0, 1700000000ull << 20, payload(31, 5)) +
         other.obsolete(0, 0xffff, 1700000001ull << 20, 8, 8, payload(8, 6)) + ng.section() + ng.section() +
         ng.interface(1, 0, ng.clock(6)) + ng.enhanced(0, 1700000002'000007, payload(12, 7)) +
         ng.enhanced(0, 1700000001'000007, Buffer{}) + ng.block(77, {});
}

}  // namespace

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const bool big : {false, true}) {
    const std::string order = big ? " big" : " little";
    all.push_back({"pcap us" + order, smallPcap({big}), 12, true, true});
    all.push_back({"pcap ns" + order, smallPcap({big, pcap::kMagicNanos}), 12, true, true});
    all.push_back({"pcap modified" + order, smallPcap({big, pcap::kMagicModified}), 12, true, true});
    all.push_back({"pcapng us" + order, plainPcapng({big}, 6), 12, true, true});
    all.push_back({"pcapng ns" + order, plainPcapng({big}, 9), 12, true, true});
    all.push_back({"pcapng rich" + order, richPcapng({big}, {!big}), 9, false, false});
  }
  return all;
}

Buffer largePcap(uint64_t seed, size_t bytes, const Pcap& form) {
  Random random(seed);
  Buffer file = form.header();
  uint32_t fraction = 0;
  uint32_t seconds = 1700000000;
  while (file.size() < bytes) {
    fraction += static_cast<uint32_t>(random.below(2000));
    if (fraction >= 1000000) fraction -= 1000000, ++seconds;
    const auto size = static_cast<uint32_t>(random.below(50) == 0 ? random.below(60000) : 40 + random.below(1460));
    const Buffer record = form.record(seconds, fraction, size, size, random.bytes(size));
    file.insert(file.end(), record.begin(), record.end());
  }
  return file;
}

Buffer largePcapng(uint64_t seed, size_t bytes, const Pcapng& ng) {
  Random random(seed);
  Buffer file = ng.section() + ng.interface(1, 0, ng.clock(9)) + ng.interface(1, 0, ng.clock(6));
  uint64_t micros = 1700000000'000000;
  while (file.size() < bytes) {
    micros += random.below(2000);
    const size_t size = random.below(50) == 0 ? random.below(60000) : 40 + random.below(1460);
    const bool first = random.below(2) == 0;
    const Buffer options = random.below(8) == 0 ? ng.option(1, random.bytes(random.below(40))) + ng.end() : Buffer{};
    Buffer block = ng.enhanced(first ? 0 : 1, first ? micros * 1000 : micros, random.bytes(size), options);
    if (random.below(100) == 0) block = block + ng.block(4, random.bytes(4 * random.below(100)));
    file.insert(file.end(), block.begin(), block.end());
  }
  return file;
}

}  // namespace spillway::test
