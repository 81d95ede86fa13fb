// Lanes of a merge: when they are asked for what follows, and what becomes of each answer.
#include "capture.h"
#include "check.h"
#include "merging.h"

namespace spillway::test {
namespace {

const Pcap kForm;
constexpr size_t kHeader = 24, kRecord = 18;  // of the files below

// Packets at these seconds; their bytes tell file and position.
Buffer pcapAt(uint8_t file, std::initializer_list<uint32_t> seconds) {
  Buffer bytes = kForm.header();
  uint8_t n = 0;
  for (const uint32_t second : seconds) bytes = bytes + kForm.record(second, 0, Buffer{file, n++});
  return bytes;
}

Nanos at(int64_t second) { return second * kNanosPerSecond; }

// A merge, stepped by hand.
class Steps {
 public:
  explicit Steps(Format format = Format::records) : merge(selectAll(format), 0, -1) {}

  Status step(size_t budget = 1 << 20) {
    Buffer buffer(4000);
    const Status status = merge.step(buffer.data(), buffer.size(), budget);
    last.assign(buffer.begin(), buffer.begin() + static_cast<long>(merge.outLength()));
    out = out + last;
    return status;
  }
  void add(const MemoryFile& file, Nanos first) { CHECK(merge.addRange(file.fd(), 0, file.size(), {}, 0, first, 100)); }
  bool next(const MemoryFile& file, uint64_t start, uint64_t end, const Buffer& state = {},
            std::optional<uint32_t> base = {}) {
    return merge.next(file.fd(), start, end, bytesOf(state), base, 100);
  }
  // "a0 b0": what came out since the last time.
  std::string order() {
    std::string text;
    for (const Record& record : parseRecords(out)) {
      if (!text.empty()) text += ' ';
      text += static_cast<char>(record.data.at(0));
      text += std::to_string(record.data.at(1));
    }
    out.clear();
    return text;
  }

  Merge merge;
  Buffer out, last;
};

Buffer stateAt(const Buffer& file, uint64_t offset) {
  for (const Cut& cut : cutsOf(file))
    if (cut.offset == offset) return cut.state;
  CHECK(false);
  return {};
}

}  // namespace

TEST("a lane is asked for when its turn comes, and where a stretch ends") {
  const Buffer lane = pcapAt('l', {2, 4, 5});
  const MemoryFile a(pcapAt('a', {1, 3, 6})), file(lane);
  Steps merge;
  merge.add(a, at(1));
  merge.merge.addLane(at(2));
  CHECK_EQ(merge.merge.asked(), Merge::kNoSource);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.merge.source(), 1u);
  CHECK_EQ(merge.merge.asked(), 1u);
  CHECK_EQ(merge.order(), "a0");
  CHECK(merge.next(file, 0, kHeader + kRecord));
  CHECK_EQ(merge.merge.asked(), Merge::kNoSource);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l0");
  CHECK(merge.next(file, kHeader + kRecord, lane.size(), stateAt(lane, kHeader)));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "a1 l1 l2");
  merge.merge.finish();
  CHECK(merge.merge.over(1));
  CHECK_EQ(merge.step(), Status::alone);
  CHECK_EQ(merge.merge.source(), 0u);
  CHECK_EQ(merge.step(), Status::done);
  CHECK_EQ(merge.order(), "a2");
  CHECK_EQ(merge.merge.counts().end, a.size() + file.size());
}

TEST("a step without an answer asks again, whatever its budget, and what was written is whole") {
  const Buffer lane = pcapAt('l', {2, 3, 4});
  const MemoryFile file(lane);
  Steps merge(Format::pcap_us);
  merge.merge.addLane(at(2));
  for (const size_t budget : {size_t{0}, size_t{1}, size_t{1000}}) CHECK_EQ(merge.step(budget), Status::need_next);
  CHECK(merge.next(file, 0, kHeader + 2 * kRecord));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, Buffer(lane.begin() + kHeader, lane.begin() + kHeader + 2 * kRecord));
  for (const size_t budget : {size_t{0}, size_t{1000}}) {
    CHECK_EQ(merge.step(budget), Status::need_next);
    CHECK_EQ(merge.merge.source(), 0u);
    CHECK(merge.last.empty());
  }
  CHECK(merge.next(file, kHeader + 2 * kRecord, lane.size(), stateAt(lane, kHeader)));
  CHECK_EQ(merge.step(), Status::need_next);
  merge.merge.finish();
  CHECK_EQ(merge.step(), Status::done);
  CHECK_EQ(merge.out, Buffer(lane.begin() + kHeader, lane.end()));
}

TEST("while a lane is idle the others go on, of equal times those that were added before it") {
  const MemoryFile a(pcapAt('a', {1, 3, 3, 5})), b(pcapAt('b', {1, 3, 5}));
  Steps merge;
  merge.add(a, at(1));
  merge.merge.addLane(kNanosMin);
  merge.add(b, at(1));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "");
  merge.merge.idle(at(3));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "a0 b0 a1 a2");
  // Earlier than all others: it is asked for again at once.
  merge.merge.idle(at(2));
  CHECK_EQ(merge.step(), Status::need_next);
  merge.merge.idle(at(4));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "b1");
  merge.merge.idle(kNanosMax);
  // The last of the others that are over leaves one that has not begun: the lane was never given anything.
  CHECK_EQ(merge.step(), Status::alone);
  CHECK_EQ(merge.merge.source(), 2u);
  CHECK_EQ(merge.step(), Status::alone);
  CHECK_EQ(merge.merge.source(), Merge::kNoSource);
  CHECK_EQ(merge.order(), "a3 b2");
  CHECK_EQ(merge.step(), Status::need_next);
  merge.merge.finish();
  CHECK_EQ(merge.step(), Status::done);
}

TEST("a lane that ends before anything of it came is no source that had begun") {
  const MemoryFile a(pcapAt('a', {1, 3})), b(pcapAt('b', {2})), c(pcapAt('c', {5}));
  Steps merge;
  merge.merge.addLane(at(1));
  merge.add(a, at(1));
  merge.add(b, at(2));
  merge.add(c, at(5));
  CHECK_EQ(merge.step(), Status::need_next);
  merge.merge.finish();
  for (const uint32_t left : {Merge::kNoSource, 1u, Merge::kNoSource}) {
    CHECK_EQ(merge.step(), Status::alone);
    CHECK_EQ(merge.merge.source(), left);
  }
  CHECK_EQ(merge.order(), "a0 b0 a1");
}

TEST("alone tells of a lane too, and its place is only in a stretch") {
  const Buffer lane = pcapAt('l', {1, 9});
  const MemoryFile file(lane), a(pcapAt('a', {2})), b(pcapAt('b', {5}));
  for (const bool within : {false, true}) {
    Steps merge;
    merge.merge.addLane(at(1));
    merge.add(a, at(2));
    merge.add(b, at(5));
    CHECK_EQ(merge.step(), Status::need_next);
    CHECK(merge.next(file, 0, within ? lane.size() : kHeader + kRecord));
    if (!within) {
      CHECK_EQ(merge.step(), Status::need_next);
      CHECK(!merge.merge.place(0));
      merge.merge.idle(at(3));
    }
    CHECK_EQ(merge.step(), Status::alone);
    CHECK_EQ(merge.merge.source(), 0u);
    CHECK_EQ(merge.merge.place(0).has_value(), within);
    if (within) CHECK_EQ(merge.merge.place(0)->offset, kHeader + kRecord);
    CHECK_EQ(merge.merge.interfaceBase(0).value(), 0u);
    CHECK_EQ(merge.order(), "l0 a0");
  }
}

TEST("a stretch keeps the interfaces of the one before, has those that are named, or describes its own") {
  const Pcapng ng;
  const Buffer head = ng.section() + ng.interface(1, 5, ng.clock(9)) + ng.interface(1, 6, ng.clock(9));
  const auto packet = [&](uint32_t interface) { return ng.enhanced(interface, 7, Buffer{'p', 0}); };
  const Buffer lane = head + packet(1);
  const Buffer state = stateAt(lane, head.size()), less = stateAt(lane, head.size() - 32);
  const MemoryFile file(lane);
  Steps merge(Format::pcapng_ns);
  merge.merge.addLane(kNanosMin);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK(!merge.merge.interfaceBase(0));
  // Nothing came before that could have given them numbers.
  CHECK(!merge.next(file, head.size(), lane.size(), state));
  CHECK(!merge.next(file, 28, lane.size()));
  CHECK(!merge.next(file, 28, lane.size(), Buffer(9, 1)));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK(merge.next(file, 0, lane.size()));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, Buffer(lane.begin() + 28, lane.end()));
  CHECK_EQ(merge.merge.interfaceBase(0).value(), 0u);
  CHECK(!merge.next(file, head.size(), lane.size(), less));
  CHECK(merge.next(file, head.size(), lane.size(), state));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, packet(1));
  CHECK(merge.next(file, 0, lane.size()));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, Buffer(head.begin() + 28, head.end()) + packet(3));
  CHECK_EQ(merge.merge.interfaceBase(0).value(), 2u);
  CHECK(merge.next(file, head.size(), lane.size(), state));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, packet(3));
  CHECK(merge.next(file, head.size(), lane.size(), state, 0));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.last, packet(1));
  CHECK_EQ(merge.merge.interfaceBase(0).value(), 0u);
  CHECK_EQ(merge.merge.counts().interface_count, 4u);
  merge.merge.finish();
  CHECK(!merge.merge.interfaceBase(0));
}

TEST("packets are numbered through all stretches") {
  const Buffer lane = pcapAt('l', {1, 2});
  const MemoryFile file(lane);
  Steps merge;
  merge.merge.addLane(at(1));
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(merge.step(), Status::need_next);
    CHECK(merge.next(file, 0, lane.size()));
  }
  CHECK_EQ(merge.step(), Status::need_next);
  const std::vector<Record> records = parseRecords(merge.out);
  CHECK_EQ(records.size(), 6u);
  for (size_t i = 0; i < records.size(); ++i) CHECK_EQ(records[i].number, i + 1);
  CHECK_EQ(records.back().interface, 2u);
}

TEST("a stretch may be of another format than the one before") {
  const Pcapng ng;
  const MemoryFile one(pcapAt('l', {1}) + kForm.record(1, 2'500'000, Buffer{'l', 1}));
  const MemoryFile two(ng.section() + ng.interface(1) + ng.interface(1) + ng.enhanced(1, 3'000'000, Buffer{'l', 2}));
  const MemoryFile simple(ng.section() + ng.interface(1) + ng.simple(2, Buffer{'l', 3}));
  Steps merge;
  merge.merge.addLane(at(1));
  for (const MemoryFile* file : {&one, &two, &one, &simple, &one}) {
    CHECK_EQ(merge.step(), Status::need_next);
    CHECK(merge.next(*file, 0, file->size()));
  }
  CHECK_EQ(merge.step(), Status::need_next);
  std::string told;
  for (const Record& r : parseRecords(merge.out))
    told += std::to_string(r.interface) + (r.has_time ? ":" + std::to_string(r.nanos) + " " : " ");
  CHECK_EQ(told, "0:0 0:2500000000 2:0 3:0 3:2500000000 4 5:0 5:2500000000 ");
}

TEST("damage ends a stretch, and what follows in the lane is asked for before others go on") {
  Buffer lane = pcapAt('l', {1, 2, 3, 6});
  std::fill_n(lane.begin() + kHeader + kRecord + 8, 4, 0xff);  // the second packet's captured length
  const MemoryFile file(lane), a(pcapAt('a', {5}));
  Steps merge;
  merge.merge.addLane(at(1));
  merge.add(a, at(5));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK(merge.next(file, 0, lane.size()));
  CHECK_EQ(merge.step(), Status::damage);
  CHECK_EQ(merge.merge.source(), 0u);
  CHECK_EQ(merge.merge.counts().detail_offset, kHeader + kRecord);
  CHECK(!merge.merge.over(0));
  CHECK_EQ(merge.merge.asked(), Merge::kNoSource);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l0");
  CHECK(merge.next(file, kHeader + 2 * kRecord, lane.size(), stateAt(lane, kHeader)));
  CHECK_EQ(merge.step(), Status::alone);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l2 a0 l3");
  // Also where a stretch is no capture file at all.
  CHECK(merge.next(a, 0, 10));
  CHECK_EQ(merge.step(), Status::damage);
  CHECK_EQ(merge.merge.damageText(), "the file ends inside its header");
  CHECK_EQ(merge.step(), Status::need_next);
  merge.merge.finish();
  CHECK_EQ(merge.step(), Status::done);
}

TEST("nothing beyond a stretch's end is read, neither for it nor for what follows") {
  const Buffer lane = pcapAt('l', {1, 2, 3});
  // What is not written yet holds something else, which would be a packet, too.
  const Buffer stale = pcapAt('x', {1, 2, 3});
  MemoryFile file(stale);
  Steps merge;
  merge.merge.addLane(at(1));
  CHECK_EQ(merge.step(), Status::need_next);
  file.write(0, {lane.data(), kHeader + kRecord});
  CHECK(merge.next(file, 0, kHeader + kRecord));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l0");
  file.write(0, bytesOf(lane));
  CHECK(merge.next(file, kHeader + kRecord, lane.size(), stateAt(lane, kHeader)));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l1 l2");
  // A packet that is not whole before the end is none.
  CHECK(merge.next(file, kHeader, lane.size() - 1, stateAt(lane, kHeader)));
  CHECK_EQ(merge.step(), Status::damage);
  CHECK_EQ(merge.order(), "l0 l1");
  CHECK_EQ(merge.merge.damageText(), "the file ends inside a packet");
}

TEST("a stretch may be empty, or end before it starts") {
  const Buffer lane = pcapAt('l', {1});
  const MemoryFile file(lane);
  Steps merge;
  merge.merge.addLane(at(1));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK(merge.next(file, 0, lane.size()));
  for (const uint64_t end : {lane.size(), kHeader, size_t{0}}) {
    CHECK_EQ(merge.step(), Status::need_next);
    CHECK(merge.next(file, lane.size(), end, stateAt(lane, kHeader)));
  }
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l0");
}

TEST("what stops a merge stops it in a lane, and it goes on where it was") {
  const Buffer lane = pcapAt('l', {1, 2, 3});
  const MemoryFile file(lane);
  Steps merge;
  merge.merge.addLane(at(1));
  CHECK(!merge.merge.takesFeed(0));
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK(!merge.merge.takesFeed(0));
  CHECK(merge.next(file, 0, lane.size()));
  Limits limits;
  limits.packets = 1;
  merge.merge.limit(limits);
  CHECK_EQ(merge.step(), Status::limit);
  CHECK_EQ(merge.order(), "l0");
  merge.merge.limit({});
  Buffer little(60);
  CHECK_EQ(merge.merge.step(little.data(), 40, 1000), Status::output_full);
  CHECK_EQ(merge.merge.step(little.data(), 60, 1000), Status::output_full);
  CHECK_EQ(merge.merge.outLength(), 50u);
  CHECK_EQ(merge.step(), Status::need_next);
  CHECK_EQ(merge.order(), "l2");
  // A stop rule that allows nothing comes before the question, which stays.
  limits.packets = 0;
  merge.merge.limit(limits);
  CHECK_EQ(merge.step(), Status::limit);
  CHECK_EQ(merge.merge.asked(), 0u);
  // A file that can not be read.
  merge.merge.limit({});
  CHECK(merge.merge.next(1'000'000, 0, 100, {}, std::nullopt, 100));
  CHECK_EQ(merge.step(), Status::io_error);
  CHECK_EQ(merge.merge.source(), 0u);
  CHECK_EQ(merge.merge.counts().detail, 9);
}

TEST("stretches that are pcap files describe at most as many interfaces as an output holds") {
  const Buffer lane = pcapAt('l', {1});
  const MemoryFile file(lane);
  Merge merge(selectAll(Format::none), limits::kMaxInterfaces - 1, -1);
  merge.addLane(at(1));
  Buffer out(1);
  CHECK_EQ(merge.step(out.data(), 1, 1000), Status::need_next);
  CHECK(merge.next(file.fd(), 0, lane.size(), {}, std::nullopt, 100));
  CHECK_EQ(merge.step(out.data(), 1, 1000), Status::need_next);
  CHECK(merge.next(file.fd(), 0, lane.size(), {}, std::nullopt, 100));
  CHECK_EQ(merge.step(out.data(), 1, 1000), Status::damage);
  CHECK_EQ(merge.damageText(), "more than 65536 interfaces are described");
  CHECK_EQ(merge.step(out.data(), 1, 1000), Status::need_next);
}

}  // namespace spillway::test
