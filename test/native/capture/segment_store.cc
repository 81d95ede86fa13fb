// Blocks in, segments out.
#include "capture/segment_store.h"

#include <fcntl.h>

#include <mutex>
#include <thread>

#include "base/crc32c.h"
#include "capture/store.h"
#include "index/sidecar_reader.h"

namespace spillway::test {

using namespace capture;

namespace {

// The sidecar vouches for every byte of the segment, and counts its packets.
void checkSidecar(const TemporaryFolder& folder, uint64_t id, size_t packets, bool whole = true) {
  int error;
  const Fd fd = openFile(folder / (stemName(id) + ".index"), O_RDONLY, &error);
  std::string why;
  const auto reader = SidecarReader::open(fd.get(), &why);
  CHECK_EQ(why, std::string());
  if (!reader) return fail(__FILE__, __LINE__, "no sidecar");
  CHECK_EQ(reader->segmentId(), id);
  const Buffer file = folder.read(folder.has(sealedName(id)) ? sealedName(id) : partName(id));
  std::vector<BlockEntry> entries;
  CHECK(reader->entries(&entries, &why));
  uint64_t end = 0, counted = 0;
  for (const BlockEntry& entry : entries) {
    CHECK_EQ(entry.offset, end);
    end = entry.end();
    counted += entry.packets;
    CHECK(end <= file.size());
    if (end <= file.size()) CHECK_EQ(entry.crc32c, crc32c(file.data() + entry.offset, entry.length));
  }
  if (whole) {
    CHECK_EQ(end, file.size());
    CHECK_EQ(counted, packets);
  }
}

}  // namespace

TEST("a segment that is sealed is an ordinary file, with its statistics") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow));
  const Buffer blocks = blocksOf(0, 100, 60);
  store.received(120);  // 20 of them were not wanted
  putAll(&store, blocks);
  store.lose({LossKind::ring, 1, 2, 7, 0});
  store.lose({LossKind::queue, 2, 3, 5, 0});
  store.lose({LossKind::link_down, 3, 4, kUnknownPackets, 0});
  CHECK_EQ(store.seal(kNow + 5), 0);
  CHECK_EQ(store.written(), blocks.size());
  const ReadBack back = readBack(folder.read(sealedName(1)));
  CHECK(back.whole);
  CHECK(back.numbers == upTo(0, 100));
  CHECK_EQ(back.times[3], 1'000'003);
  CHECK_EQ(back.interfaces.size(), 1u);
  CHECK(back.interfaces[0].resolution == (Resolution{false, 9}));
  CHECK_EQ(back.interfaces[0].snap_length, 262144u);
  CHECK_EQ(statistic(back.statistics, 4), 132u);  // isb_ifrecv
  CHECK_EQ(statistic(back.statistics, 5), 12u);   // isb_ifdrop
  CHECK_EQ(statistic(back.statistics, 6), 105u);  // isb_filteraccept
  CHECK_EQ(statistic(back.statistics, 7), 7u);    // isb_osdrop
  CHECK_EQ(statistic(back.statistics, 8), 100u);  // isb_usrdeliv
  checkSidecar(folder, 1, 100);
  const auto losses = readLosses(folder.path());
  CHECK_EQ(losses.size(), 3u);
  CHECK_EQ(losses[0].segment_id, 1u);
  CHECK_EQ(retention.segments(), 1u);
  CHECK_EQ(retention.bytes(), folder.size(sealedName(1)) + folder.size(stemName(1) + ".index"));
}

TEST("marks move with commits and not before") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow));
  Buffer all[20];
  for (uint32_t n = 0; n < 20; ++n) {
    all[n] = blocksOf(n * 10, 10, 60 + n);
    const uint64_t before = n == 0 ? 0 : readMarks(folder.path())->visible_bytes;
    putAll(&store, all[n]);
    CHECK_EQ(readMarks(folder.path())->visible_bytes, before);
    CHECK_EQ(store.commit(kNow + n), 0);
    const auto marks = readMarks(folder.path());
    CHECK_EQ(marks->segment_id, 1u);
    CHECK_EQ(marks->packets, (n + 1) * 10);
    CHECK_EQ(marks->packets_stored, (n + 1) * 10);
    CHECK_EQ(marks->durable_bytes, 0u);
    CHECK_EQ(marks->smallest_time, 1'000'000);
    CHECK_EQ(marks->largest_time, 1'000'000 + n * 10 + 9);
    CHECK_EQ(marks->committed_at, kNow + n);
    // What is visible is whole packets.
    Buffer part = folder.read(partName(1));
    part.resize(marks->visible_bytes);
    const ReadBack back = readBack(part);
    CHECK(back.whole);
    CHECK(back.numbers == upTo(0, (n + 1) * 10));
  }
}

TEST("segments follow one another, each within its size, no packet twice or missing") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow));
  std::vector<Buffer> given;
  uint32_t next = 0;
  for (int round = 0; round < 60; ++round) {
    given.push_back(blocksOf(next, 50, 40 + 30 * static_cast<size_t>(round)));
    next += 50;
    putAll(&store, given.back());
    if (round % 3 == 0) CHECK_EQ(store.commit(kNow), 0);
  }
  CHECK_EQ(store.seal(kNow), 0);
  std::vector<uint32_t> numbers;
  std::vector<FolderEntry> entries;
  CHECK_EQ(listFolder(folder.path(), &entries), 0);
  uint64_t id = 0;
  for (const FolderEntry& entry : entries) {
    if (entry.kind != EntryKind::sealed) continue;
    CHECK_EQ(entry.id, ++id);
    CHECK(folder.size(entry.name) <= 1u << 20);
    const ReadBack back = readBack(folder.read(entry.name));
    CHECK(back.whole && !back.statistics.empty());
    CHECK_EQ(statistic(back.statistics, 8), back.numbers.size());
    numbers.insert(numbers.end(), back.numbers.begin(), back.numbers.end());
    checkSidecar(folder, entry.id, back.numbers.size());
  }
  CHECK(id > 2);
  CHECK(numbers == upTo(0, next));
  uint64_t bytes = 0;
  for (const Buffer& blocks : given) bytes += blocks.size();
  CHECK_EQ(store.written(), bytes);
}

TEST("bytes are let go of only when they are in the file") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path(), 16u << 20), &retention);
  CHECK(!store.open(kNow));
  // More than a piece: the aligned part goes to the file at once, the rest with the commit.
  std::unique_ptr<Buffer> blocks = std::make_unique<Buffer>(blocksOf(0, 3000, 1000));
  const size_t size = blocks->size();
  putAll(&store, *blocks);
  CHECK(store.written() + 1000 > 2u << 20);
  CHECK(store.written() < size);
  CHECK_EQ(store.commit(kNow), 0);
  CHECK_EQ(store.written(), size);
  blocks.reset();  // a later use of it would be seen
  const Buffer more = blocksOf(3000, 10, 1000);
  putAll(&store, more);
  CHECK_EQ(store.seal(kNow), 0);
  CHECK(readBack(folder.read(sealedName(1))).numbers == upTo(0, 3010));
  checkSidecar(folder, 1, 3010);
}

TEST("ids are never used again") {
  const TemporaryFolder folder;
  const Buffer blocks = blocksOf(0, 1, 60);
  for (uint64_t id = 1; id < 4; ++id) {
    Retention retention({});
    SegmentStore store(storeOptions(folder.path()), &retention);
    CHECK(!store.open(kNow));
    putAll(&store, blocks);
    CHECK_EQ(store.seal(kNow), 0);
    CHECK(folder.has(sealedName(id)));
    // All segments gone: the marks remember.
    CHECK(freeSegment(folder.path(), id, nullptr, 0));
    CHECK_EQ(folder.names().size(), 2u);
  }
}

TEST("the time between two captures is a gap") {
  const TemporaryFolder folder;
  Retention retention({});
  {
    SegmentStore store(storeOptions(folder.path()), &retention);
    CHECK(!store.open(kNow));
  }
  {
    SegmentStore store(storeOptions(folder.path()), &retention);
    CHECK(!store.open(kNow + 500));
  }
  const auto losses = readLosses(folder.path());
  CHECK(losses == (std::vector<Loss>{{LossKind::stopped, kNow, kNow + 500, kUnknownPackets, 0}}));
}

TEST("a clock that is set back: the gap holds both readings, and a segment is due at once") {
  const TemporaryFolder folder;
  Retention retention({});
  {
    SegmentStore store(storeOptions(folder.path()), &retention);
    CHECK(!store.open(kNow));
  }
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow - 500));
  CHECK(readLosses(folder.path()) == (std::vector<Loss>{{LossKind::stopped, kNow - 500, kNow, kUnknownPackets, 0}}));
  const Buffer blocks = blocksOf(0, 5, 60);
  putAll(&store, blocks);
  CHECK(!store.due(kNow));
  CHECK(store.due(kNow - 501));
}

TEST("times that step back within a segment: marks and index hold them all") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow));
  const Buffer before = blocksOf(0, 1000, 100, 5'000'000), after = blocksOf(1000, 1000, 100, 1'000'000);
  putAll(&store, before);
  putAll(&store, after);
  CHECK_EQ(store.commit(kNow), 0);
  CHECK_EQ(readMarks(folder.path())->smallest_time, 1'001'000);
  CHECK_EQ(readMarks(folder.path())->largest_time, 5'000'999);
  CHECK_EQ(store.seal(kNow), 0);
  const ReadBack back = readBack(folder.read(sealedName(1)));
  CHECK(back.numbers == upTo(0, 2000));
  CHECK_EQ(back.times[999], 5'000'999);
  CHECK_EQ(back.times[1000], 1'001'000);
  checkSidecar(folder, 1, 2000);
}

TEST("a segment is due by age, and durable as it was asked for") {
  const TemporaryFolder folder;
  Retention retention({});
  StoreOptions options = storeOptions(folder.path());
  options.segment_seconds = 10;
  options.fsync = Fsync::commit;
  SegmentStore store(options, &retention);
  CHECK(!store.open(kNow));
  CHECK(!store.due(kNow + 100 * kNanosPerSecond));
  const Buffer blocks = blocksOf(0, 5, 60);
  putAll(&store, blocks);
  CHECK(!store.due(kNow + 9 * kNanosPerSecond));
  CHECK(store.due(kNow + 10 * kNanosPerSecond));
  CHECK_EQ(store.commit(kNow), 0);
  CHECK_EQ(readMarks(folder.path())->durable_bytes, readMarks(folder.path())->visible_bytes);
  CHECK_EQ(store.seal(kNow), 0);
  CHECK(!store.due(kNow + 100 * kNanosPerSecond));
  CHECK_EQ(store.seal(kNow), 0);  // nothing is open
}

TEST("where every commit is durable, marks wait until the segment before is finished") {
  for (const Fsync fsync : {Fsync::commit, Fsync::seal}) {
    CONTEXT("fsync " << static_cast<int>(fsync));
    const TemporaryFolder folder;
    Retention retention({});
    StoreOptions options = storeOptions(folder.path());
    options.fsync = fsync;
    std::mutex busy;
    busy.lock();
    Finisher finisher(&retention, [&] { const std::lock_guard lock(busy); });
    SegmentStore store(options, &retention, &finisher);
    CHECK(!store.open(kNow));
    const auto marked = [&] { return readMarks(folder.path())->segment_id; };
    const auto waitFor = [](const auto& what) {
      for (int tries = 0; !what() && tries < 20'000; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      CHECK(what());
    };
    const Buffer blocks = blocksOf(0, 30, 60);
    const size_t third = blocks.size() / 3;
    const Buffer first(blocks.begin(), blocks.begin() + static_cast<long>(third));
    const Buffer second(blocks.begin() + static_cast<long>(third), blocks.begin() + static_cast<long>(2 * third));
    putAll(&store, first);
    CHECK_EQ(store.commit(kNow), 0);
    if (fsync == Fsync::commit) {
      // From here on it does nothing more.
      waitFor([&] { return finisher.synced(1) != 0; });
      CHECK_EQ(readMarks(folder.path())->durable_bytes, 0u);
      store.settle();
      CHECK_EQ(readMarks(folder.path())->durable_bytes, readMarks(folder.path())->visible_bytes);
    }
    CHECK_EQ(store.seal(kNow), 0);
    putAll(&store, second);
    CHECK_EQ(store.commit(kNow), 0);
    store.setState(CaptureState::link_down);
    CHECK_EQ(marked(), fsync == Fsync::commit ? 1u : 2u);
    busy.unlock();
    waitFor([&] { return finisher.done() == 1; });
    store.settle();
    CHECK_EQ(marked(), 2u);
    CHECK(readMarks(folder.path())->state == CaptureState::link_down);
    CHECK_EQ(readMarks(folder.path())->packets, 10u);
  }
}

TEST("what ends without the disk counts what was not committed") {
  const TemporaryFolder folder;
  Retention retention({});
  SegmentStore store(storeOptions(folder.path()), &retention);
  CHECK(!store.open(kNow));
  const Buffer first = blocksOf(0, 10, 60), second = blocksOf(10, 7, 60);
  putAll(&store, first);
  CHECK_EQ(store.commit(kNow), 0);
  putAll(&store, second);
  CHECK_EQ(store.abandon(), 7u);
  CHECK_EQ(folder.size(partName(1)), readMarks(folder.path())->visible_bytes);
}

}  // namespace spillway::test
