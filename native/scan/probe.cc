#include "scan/probe.h"

#include <algorithm>

namespace spillway {
namespace {

enum class Side : uint8_t { inside, outside, edge };

bool before(Nanos time, const TimeSpan& span) { return time < span.start; }
bool behind(Nanos time, const TimeSpan& span) { return span.end != kNanosMax && time >= span.end; }

// Where the times from `low` to `high` lie.
Side sideOf(Nanos low, Nanos high, const std::vector<TimeSpan>& spans) {
  for (const TimeSpan& span : spans) {
    if (before(high, span) || behind(low, span)) continue;
    return before(low, span) || behind(high, span) ? Side::edge : Side::inside;
  }
  return Side::outside;
}

BlockRun runOf(const BlockEntry& entry, uint64_t index) {
  return {entry.offset, entry.length, index, 1, entry.state, entry.packets, entry.untimed, entry.captured_bytes};
}

void skip(const BlockEntry& entry, bool inside, SkippedPackets* skipped) {
  skipped->packets += entry.packets;
  skipped->untimed += entry.untimed;
  skipped->captured_bytes += entry.captured_bytes;
  if (inside) skipped->in_windows += entry.packets - entry.untimed;
}

void append(std::vector<BlockRun>* runs, const BlockRun& run) {
  if (!runs->empty() && runs->back().offset + runs->back().length == run.offset && runs->back().state == run.state) {
    BlockRun& last = runs->back();
    last.length += run.length;
    last.blocks += run.blocks;
    last.packets += run.packets;
    last.untimed += run.untimed;
    last.captured_bytes += run.captured_bytes;
  } else {
    runs->push_back(run);
  }
}

// Block by block: needed only where the edge of a window lies inside the file.
bool walkEntries(SidecarReader& sidecar, const std::vector<TimeSpan>& spans, ProbeAnswer* answer, std::string* why) {
  std::vector<BlockEntry> entries;
  if (!sidecar.entries(&entries, why)) return false;
  std::vector<BlockRun> runs;
  auto candidate = answer->runs.begin();
  for (uint64_t i = 0; i < entries.size(); ++i) {
    const BlockEntry& entry = entries[i];
    while (candidate != answer->runs.end() && candidate->first_block + candidate->blocks <= i) ++candidate;
    const bool wanted = candidate != answer->runs.end() && candidate->first_block <= i;
    const Side side = entry.timed() ? sideOf(entry.min_time, entry.max_time, spans) : Side::outside;
    if (wanted || side == Side::edge) append(&runs, runOf(entry, i));
    else skip(entry, side == Side::inside, &answer->skipped);
  }
  answer->runs = std::move(runs);
  return true;
}

// Asks the index what has to be scanned.
bool select(SidecarReader& sidecar, const IndexQuery& query, ProbeAnswer* answer, std::string* why) {
  answer->totals = sidecar.totals();
  if (!sidecar.candidates(query, &answer->runs, why)) return false;
  const SidecarTotals& totals = answer->totals;
  const Side side = query.spans.empty() ? Side::inside
                    : totals.timed()    ? sideOf(totals.min_time, totals.max_time, query.spans)
                                        : Side::outside;
  if (side == Side::edge) return walkEntries(sidecar, query.spans, answer, why);
  SkippedPackets& skipped = answer->skipped;
  skipped = {totals.packets, 0, totals.untimed, totals.captured_bytes};
  for (const BlockRun& run : answer->runs) {
    skipped.packets -= run.packets;
    skipped.untimed -= run.untimed;
    skipped.captured_bytes -= run.captured_bytes;
  }
  // Without windows every packet is inside, with windows none without a time.
  if (side == Side::inside) skipped.in_windows = skipped.packets - (query.spans.empty() ? 0 : skipped.untimed);
  return true;
}

bool readFirst(SidecarReader& sidecar, ProbeAnswer* answer, std::string* why) {
  std::vector<BlockEntry> entries;
  const uint64_t count = std::min<uint64_t>(answer->totals.blocks, 2);
  if (!sidecar.entries(0, count, &entries, why)) return false;
  if (count > 0) answer->first = entries[0];
  if (count > 1) answer->state_behind_first = sidecar.state(entries[1].state);
  return true;
}

bool readBlocks(SidecarReader& sidecar, ProbeAnswer* answer, std::string* why) {
  const auto& runs = answer->runs;
  for (const BlockRun& run : runs)
    if (!sidecar.entries(run.first_block, run.blocks, &answer->blocks, why)) return false;
  std::vector<BlockSum> blocks;
  for (const BlockEntry& block : answer->blocks) blocks.push_back(sumOf(block));
  const auto sums = BlockSums::of(std::move(blocks), why);
  if (sums && std::all_of(runs.begin(), runs.end(),
                          [&](const BlockRun& run) { return sums->cover(run.offset, run.offset + run.length); }))
    return true;
  *why = "its blocks can not be those of a file";
  return false;
}

bool readFloors(SidecarReader& sidecar, ProbeAnswer* answer, std::string* why) {
  answer->floors.assign(answer->runs.size() + 1, kNanosMin);
  if (answer->runs.empty()) {
    if (answer->totals.timed()) answer->floors[0] = answer->totals.max_time;
    return true;
  }
  std::vector<BlockEntry> entries;
  if (!sidecar.entries(&entries, why)) return false;
  size_t next = 0;
  for (uint64_t i = 0; i < entries.size(); ++i) {
    while (next < answer->runs.size() && answer->runs[next].first_block + answer->runs[next].blocks <= i) ++next;
    const bool left_out = next == answer->runs.size() || i < answer->runs[next].first_block;
    if (left_out && entries[i].timed()) answer->floors[next] = std::max(answer->floors[next], entries[i].max_time);
  }
  return true;
}

}  // namespace

bool probe(SidecarReader& sidecar, const IndexQuery& query, ProbeWishes wishes, ProbeAnswer* answer, std::string* why) {
  return select(sidecar, query, answer, why) && (!(wishes.blocks || wishes.first) || readFirst(sidecar, answer, why)) &&
         (!wishes.blocks || readBlocks(sidecar, answer, why)) && (!wishes.floors || readFloors(sidecar, answer, why));
}

}  // namespace spillway
