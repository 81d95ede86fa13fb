// Lanes with block sums: a bad block is told and left out, and everything else is merged as if it had never been there.
#include "blocks.h"
#include "capture.h"
#include "check.h"
#include "merging.h"

namespace spillway::test {
namespace {

// Packets of every second nanosecond, from the first on; their bytes tell file and position. In the middle another
// interface is described.
Buffer fileOf(uint8_t name, uint64_t first) {
  const Pcapng ng;
  Buffer file = ng.section() + ng.interface(1, 0, ng.clock(9));
  for (uint8_t n = 0; n < 14; ++n) {
    if (n == 7) file = file + ng.interface(1, 0, ng.clock(9));
    file = file + ng.enhanced(n / 7, first + 2 * n, Buffer{name, n});
  }
  return file;
}

struct Told {
  uint32_t lane;
  size_t block;
  bool operator==(const Told&) const = default;
};

struct Result {
  Buffer out;
  std::vector<Told> told;
  Counts counts;
};

// Two lanes, each of one stretch, or of another behind a bad block that describes.
class Lanes {
 public:
  Lanes(const Blocked (&files)[2], const MemoryFile (&memories)[2], Format format)
      : files_(files), memories_(memories), merge_(selectAll(format), 0, -1) {
    for (int n = 0; n < 2; ++n) merge_.addLane(kNanosMin);
  }

  Result run(size_t budget, size_t capacity) {
    Result result;
    size_t next[2] = {0, 0};  // block that the next stretch begins with
    for (;;) {
      Buffer buffer(capacity);
      const Counts before = merge_.counts();
      const Status status = merge_.step(buffer.data(), buffer.size(), budget);
      ensureStep(before, merge_.counts(), merge_.outLength(), capacity);
      result.out.insert(result.out.end(), buffer.begin(), buffer.begin() + static_cast<long>(merge_.outLength()));
      result.counts = merge_.counts();
      if (status == Status::budget || status == Status::alone) continue;
      if (status == Status::output_full) {
        if (merge_.outLength() == 0) capacity = merge_.needed();
        continue;
      }
      if (status == Status::bad_block) {
        const uint32_t lane = merge_.source();
        const Blocked& file = files_[lane];
        const size_t block = file.blockAt(merge_.counts().detail_offset);
        ENSURE(file.blocks[block].start == merge_.counts().detail_offset);
        ENSURE(static_cast<uint64_t>(merge_.counts().detail) == file.blocks[block].bytes());
        result.told.push_back({lane, block});
        if (file.blocks[block].describes) next[lane] = block + 1;
        ENSURE(!file.blocks[block].describes || !merge_.place(lane));
        continue;
      }
      ENSURE(status == Status::need_next || status == Status::done);
      if (status == Status::done) return result;
      give(merge_.source(), &next[merge_.source()]);
    }
  }

 private:
  void give(uint32_t lane, size_t* next) {
    const Blocked& file = files_[lane];
    if (*next >= file.blocks.size()) return merge_.finish();
    ENSURE(merge_.next(memories_[lane].fd(), file.blocks[*next].start, file.bytes.size(), bytesOf(file.states[*next]),
                       lane, 64, file.sums()));
    *next = file.blocks.size();
  }

  const Blocked (&files_)[2];
  const MemoryFile (&memories_)[2];
  Merge merge_;
};

std::vector<Buffer> dataOf(const Buffer& out) {
  std::vector<Buffer> all;
  for (const Record& record : parseRecords(out)) all.push_back(record.data);
  return all;
}

// "a0", "b0", "a1" … but for those of a bad block.
std::vector<Buffer> wantedData(const Blocked (&files)[2], uint32_t lane, size_t bad) {
  std::vector<Record> packets[2];
  for (uint32_t n = 0; n < 2; ++n)
    packets[n] = n == lane ? files[n].packetsWithout({bad}) : files[n].packetsWithout({});
  std::vector<Buffer> all;
  for (size_t a = 0, b = 0; a < packets[0].size() || b < packets[1].size();) {
    const bool first = b == packets[1].size() || (a < packets[0].size() && packets[0][a].nanos <= packets[1][b].nanos);
    all.push_back(first ? packets[0][a++].data : packets[1][b++].data);
  }
  return all;
}

}  // namespace

TEST("every byte that is flipped costs its block of its lane, and nothing else") {
  const Blocked files[] = {blocked(fileOf('a', 100), 80), blocked(fileOf('b', 101), 130)};
  CHECK(files[0].blocks.size() > 5);
  for (uint32_t lane = 0; lane < 2; ++lane) {
    for (size_t at = 0; at < files[lane].bytes.size(); ++at) {
      Buffer bytes[2] = {files[0].bytes, files[1].bytes};
      bytes[lane][at] ^= static_cast<uint8_t>(1 + at % 255);
      const MemoryFile memories[] = {MemoryFile(bytes[0]), MemoryFile(bytes[1])};
      const size_t bad = files[lane].blockAt(at);
      CONTEXT("lane " << lane << ", byte " << at);
      const Result got = Lanes(files, memories, Format::records).run(1 + at * 7 % 300, at * 13 % 200);
      CHECK(got.told == (std::vector<Told>{{lane, bad}}));
      CHECK(dataOf(got.out) == wantedData(files, lane, bad));
      // Of all bytes it can be told that they were taken.
      CHECK_EQ(got.counts.end, files[0].bytes.size() + files[1].bytes.size());
      if (files[lane].blocks[bad].describes) continue;
      std::vector<Part> parts = {{files[0].bytes}, {files[1].bytes}};
      parts[lane].bytes = files[lane].without({bad});
      const MergeOutcome want = MergeRun(parts, selectAll(Format::pcap_ns), {}).run();
      CHECK(Lanes(files, memories, Format::pcap_ns).run(1 << 20, 1 << 12).out == want.out);
    }
  }
}

}  // namespace spillway::test
