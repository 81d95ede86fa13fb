// Writes interface statistics blocks of PCAPNG, little-endian.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "format/pcapng_options.h"

namespace spillway::pcapng {

// What the block tells; nothing: not told. Times are ticks of the interface's clock, counts are packets.
struct Statistics {
  uint32_t interface = 0;
  uint64_t time = 0;
  std::string_view comment = {};  // UTF-8, at most kMaxComment bytes; empty: none
  std::optional<uint64_t> start = {};
  std::optional<uint64_t> end = {};
  std::optional<uint64_t> received = {};
  std::optional<uint64_t> dropped = {};
  std::optional<uint64_t> accepted = {};
  std::optional<uint64_t> os_dropped = {};
  std::optional<uint64_t> delivered = {};
};

// An option's length has 16 bits.
constexpr size_t kMaxComment = 0xffff;

// Bytes of a block that tells so many times and counts and has a comment of this length.
constexpr size_t statisticsBytes(size_t told, size_t comment) {
  const size_t options = 12 * told + (comment == 0 ? 0 : 4 + (comment + 3) / 4 * 4);
  return kBlockOverhead + kStatisticsBody + options + (options == 0 ? 0 : 4);
}
size_t statisticsBytes(const Statistics& statistics);

// Writes the block; returns the bytes written, statisticsBytes.
size_t putStatistics(uint8_t* to, const Statistics& statistics);

}  // namespace spillway::pcapng
