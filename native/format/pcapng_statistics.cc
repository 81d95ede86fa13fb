#include "format/pcapng_statistics.h"

#include <array>
#include <utility>

#include "format/pcapng_writer.h"

namespace spillway::pcapng {
namespace {

using Told = std::pair<uint16_t, const std::optional<uint64_t>*>;

std::array<Told, 2> timesOf(const Statistics& s) { return {{{kStatisticsStart, &s.start}, {kStatisticsEnd, &s.end}}}; }

std::array<Told, 5> countsOf(const Statistics& s) {
  return {{{kStatisticsReceived, &s.received},
           {kStatisticsDropped, &s.dropped},
           {kStatisticsAccepted, &s.accepted},
           {kStatisticsOsDropped, &s.os_dropped},
           {kStatisticsDelivered, &s.delivered}}};
}

}  // namespace

size_t statisticsBytes(const Statistics& statistics) {
  size_t told = 0;
  for (const auto& [code, time] : timesOf(statistics)) told += time->has_value() ? 1 : 0;
  for (const auto& [code, count] : countsOf(statistics)) told += count->has_value() ? 1 : 0;
  return statisticsBytes(told, statistics.comment.size());
}

size_t putStatistics(uint8_t* to, const Statistics& statistics) {
  store32(to + 8, statistics.interface);
  storeTicks(to + 12, statistics.time);
  const size_t options = kBlockOverhead - 4 + kStatisticsBody;
  size_t at = options;
  const std::string_view comment = statistics.comment;
  if (!comment.empty())
    at += putOption(to + at, kComment, reinterpret_cast<const uint8_t*>(comment.data()),
                    static_cast<uint16_t>(comment.size()));
  uint8_t value[8];
  for (const auto& [code, time] : timesOf(statistics)) {
    if (!*time) continue;
    storeTicks(value, **time);
    at += putOption(to + at, code, value, 8);
  }
  for (const auto& [code, count] : countsOf(statistics)) {
    if (!*count) continue;
    store64(value, **count);
    at += putOption(to + at, code, value, 8);
  }
  if (at != options) at += endOptions(to + at);
  frame(to, kInterfaceStatistics, at + 4);
  return at + 4;
}

}  // namespace spillway::pcapng
