// Mutations that keep a capture file readable further than its first record.
#pragma once
#include <algorithm>

#include "../native/capture.h"
#include "../native/random.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace spillway::fuzz {

using namespace spillway::test;

inline Pcap somePcap(Random* random) {
  static constexpr uint32_t kMagics[] = {pcap::kMagicMicros, pcap::kMagicNanos, pcap::kMagicModified};
  static constexpr uint32_t kSnaps[] = {65535, 0, 96, 0xffffffff};
  return {random->below(2) != 0,
          kMagics[random->below(3)],
          2,
          static_cast<uint16_t>(random->below(5)),
          kSnaps[random->below(4)],
          static_cast<uint32_t>(random->below(200))};
}

// A small file of packets and the bytes that choose.
inline Buffer freshPcap(Random* random) {
  const Pcap form = somePcap(random);
  Buffer file = form.header();
  for (uint64_t n = random->below(8); n > 0; --n) {
    const auto size = static_cast<uint32_t>(random->below(40));
    file = file + form.record(static_cast<uint32_t>(random->next()), static_cast<uint32_t>(random->below(2000000)),
                              size, size + 2, random->bytes(size));
  }
  return file + random->bytes(12);
}

inline Buffer freshPcapng(Random* random) {
  Buffer file;
  for (uint64_t sections = 1 + random->below(2); sections > 0; --sections) {
    const Pcapng ng{random->below(2) != 0};
    const auto options = [&] {
      return random->below(3) == 0
                 ? ng.option(static_cast<uint16_t>(random->below(20)), random->bytes(random->below(12)))
                 : Buffer{};
    };
    file = file + ng.section(options());
    const uint64_t interfaces = 1 + random->below(2);
    for (uint64_t n = interfaces; n > 0; --n)
      file = file +
             ng.interface(
                 static_cast<uint16_t>(random->below(3)), static_cast<uint32_t>(random->below(3) * 20),
                 options() +
                     ng.clock(static_cast<uint8_t>(random->below(3) == 0 ? random->next() : 6 + 3 * random->below(2)),
                              random->below(4) == 0 ? static_cast<int64_t>(random->next()) >> random->below(64) : 0));
    for (uint64_t n = random->below(8); n > 0; --n) {
      const Buffer data = random->bytes(random->below(30));
      const auto id = static_cast<uint16_t>(random->below(interfaces));
      const uint64_t ticks = random->next() >> random->below(64);
      const auto size = static_cast<uint32_t>(data.size());
      switch (random->below(5)) {
        case 0:
          file = file + ng.simple(size, data);
          break;
        case 1:
          file = file + ng.obsolete(id, static_cast<uint16_t>(random->next()), ticks, size, size, data, options());
          break;
        case 2:
          file = file + ng.block(static_cast<uint32_t>(random->below(12)), random->bytes(4 * random->below(9)));
          break;
        default:
          file = file + ng.enhanced(id, ticks, data, options());
      }
    }
  }
  return file + random->bytes(12);
}

// Lets every record end where it can: caplen is cut to something small where it reaches beyond the file.
inline void repairPcap(uint8_t* data, size_t size, Random* random) {
  if (size < 24) return;
  const bool big = data[0] == 0xa1;
  const auto magic = Order{big}.u32(data);
  const size_t header = magic == pcap::kMagicModified ? 24 : 16;
  for (size_t at = 24; at + header <= size;) {
    uint32_t caplen = Order{big}.u32(data + at + 8);
    if (caplen > size - at - header) {
      caplen = static_cast<uint32_t>(random->below(std::min<size_t>(size - at - header, 60) + 1));
      const Buffer bytes = Put(big).u32(caplen).out;
      std::copy(bytes.begin(), bytes.end(), data + at + 8);
    }
    at += header + caplen;
  }
}

// Lets every block end with the length it begins with, and have one that is possible.
inline void repairPcapng(uint8_t* data, size_t size, Random* random) {
  bool big = false;
  for (size_t at = 0; at + 12 <= size;) {
    if (load32(data + at) == pcapng::kSectionHeader) big = load32(data + at + 8) != pcapng::kByteOrderMagic;
    const auto put = [&](size_t to, uint32_t value) {
      const Buffer bytes = Put(big).u32(value).out;
      std::copy(bytes.begin(), bytes.end(), data + to);
    };
    uint32_t length = Order{big}.u32(data + at + 4);
    if (length < 12 || length % 4 != 0 || length > size - at) {
      length = static_cast<uint32_t>(12 + 4 * random->below(std::min<size_t>(size - at - 12, 80) / 4 + 1));
      put(at + 4, length);
    }
    put(at + length - 4, length);
    at += length;
  }
}

// libFuzzer's hook: now and then a fresh file, else its own mutation, mostly repaired.
template <class Fresh, class Repair>
size_t mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed, Fresh fresh, Repair repair) {
  Random random(seed);
  if (size < 12 || random.below(50) == 0) {
    const Buffer file = fresh(&random);
    const size_t length = std::min(file.size(), max_size);
    std::copy_n(file.begin(), length, data);
    return length;
  }
  const size_t length = LLVMFuzzerMutate(data, size, max_size);
  // The last bytes are choices.
  if (length > 12 && random.below(4) != 0) repair(data, length - 12, &random);
  return length;
}

}  // namespace spillway::fuzz
