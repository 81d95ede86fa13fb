#include "capture/segment_scan.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "capture/files.h"
#include "capture/segment_bytes.h"
#include "capture/segment_index.h"
#include "format/pcapng_reader.h"

namespace spillway::capture {
namespace {

constexpr uint64_t kMinChunkBytes = 64u << 10;
constexpr uint64_t kChunkBytes = 4u << 20;

// Calls visit(next, packet, record's offset) for every whole block up to `limit`, and endOfChunk() before the bytes
// move. Ends at the first that is not whole.
template <class Visit, class EndOfChunk>
int walk(int fd, uint64_t limit, Visit&& visit, EndOfChunk&& end_of_chunk) {
  std::vector<uint8_t> bytes(std::clamp<uint64_t>(limit, kMinChunkBytes, kChunkBytes));
  PcapngReader reader;
  uint64_t at = 0;
  for (;;) {
    const size_t want = std::min<uint64_t>(bytes.size(), limit - at);
    const int64_t got = readAt(fd, bytes.data(), want, at);
    if (got < 0) return static_cast<int>(got);
    size_t used = 0;
    Next next = Next::need_more;
    for (Packet packet;;) {
      next = reader.next(bytes.data() + used, static_cast<size_t>(got) - used, &packet);
      if (next == Next::need_more || next == Next::damage) break;
      visit(next, packet, at + used);
      used += packet.record.size;
    }
    end_of_chunk();
    at += used;
    if (next == Next::damage || static_cast<size_t>(got) < bytes.size()) return 0;
    // A block that is larger than all that was read.
    if (used == 0) {
      if (bytes.size() > spillway::limits::kMaxBlockBytes) return 0;
      bytes.resize(bytes.size() * 2);
    }
  }
}

}  // namespace

int scanSegment(int fd, uint64_t limit, SegmentScan* scan) {
  *scan = {};
  const auto visit = [&](Next next, const Packet& packet, uint64_t at) {
    scan->end = at + packet.record.size;
    scan->statistics = next == Next::skipped && packet.record.size == kStatisticsBytes &&
                       load32(packet.record.data) == pcapng::kInterfaceStatistics;
    if (next == Next::interface) scan->described = true;
    if (next != Next::packet) return;
    scan->smallest = scan->packets == 0 ? packet.time : std::min(scan->smallest, packet.time);
    scan->largest = scan->packets == 0 ? packet.time : std::max(scan->largest, packet.time);
    ++scan->packets;
  };
  return walk(fd, limit, visit, [] {});
}

int makeSidecar(int fd, uint64_t end, uint64_t segment_id, const std::string& path) {
  std::vector<uint8_t> head(1024);
  const int64_t got = readAt(fd, head.data(), std::min<uint64_t>(head.size(), end), 0);
  if (got < 0) return static_cast<int>(got);
  PcapngReader reader;
  Packet packet;
  size_t header = 0;
  for (Next next = Next::section; next == Next::section;) {
    next = reader.next(head.data() + header, static_cast<size_t>(got) - header, &packet);
    if (next != Next::section && next != Next::interface) return -EINVAL;
    header += packet.record.size;
  }
  SegmentIndex index;
  const Bytes description{head.data(), header};
  // What is there vouches for the segment until the new one is whole.
  const std::string unfinished = path + ".tmp";
  if (const int result = index.begin(unfinished, segment_id, reader.interfaces().front(), description); result != 0)
    return result;
  index.release();
  const auto visit = [&](Next next, const Packet& found, uint64_t at) {
    if (at < header) return;
    if (next == Next::packet) index.add(found);
    else index.addOther(found.record);
  };
  if (const int result = walk(fd, end, visit, [&] { index.release(); }); result != 0) return result;
  const auto sidecar = index.complete();
  int result = sidecar ? sidecar->seal() : -EIO;
  if (result == 0) result = renameFile(unfinished, path);
  if (result != 0) removeFile(unfinished);
  return result;
}

}  // namespace spillway::capture
