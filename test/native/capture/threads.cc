// Both threads of an interface at work: nothing is lost without being counted.
#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "capture/fake_source.h"
#include "capture/intake.h"
#include "capture/limits.h"
#include "capture/recorder.h"
#include "capture/store.h"

namespace spillway::test {

using namespace capture;
using std::chrono::milliseconds;

namespace {

int64_t steadyMs() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// An interface without a system below it.
struct Capture {
  explicit Capture(size_t ring_packets, uint64_t queue_bytes = 8u << 20, uint64_t segment_bytes = 1u << 20,
                   RetentionLimits limits = {})
      : source(ring_packets),
        queue(queue_bytes),
        retention(limits),
        finisher(std::make_unique<Finisher>(&retention, [this] { queue.nudge(); })),
        store(storeOptions(folder.path(), segment_bytes), &retention, finisher.get()),
        intake(&source, Shaper(nullptr, 262144), &queue, &progress),
        recorder(&queue, &store, finisher.get(), &retention, &progress) {
    CHECK(!store.open(kNow));
    writing = std::thread([this] { recorder.run(); });
    reading = std::thread([this] { intake.run(); });
  }
  ~Capture() { stop(); }
  void stop(int deadline_ms = 5000) {
    if (!reading.joinable()) return;
    progress.deadline_ms = steadyMs() + deadline_ms;
    intake.stop();
    reading.join();
    writing.join();
    finisher.reset();
  }
  // Numbers of all packets that are stored.
  std::vector<uint32_t> stored() const {
    std::vector<uint32_t> numbers;
    std::vector<FolderEntry> entries;
    listFolder(folder.path(), &entries);
    for (const FolderEntry& entry : entries) {
      if (entry.kind != EntryKind::sealed) continue;
      const ReadBack back = readBack(folder.read(entry.name));
      CHECK(back.whole);
      numbers.insert(numbers.end(), back.numbers.begin(), back.numbers.end());
    }
    return numbers;
  }
  LossTotals lost() const {
    LossTotals totals;
    for (const Loss& loss : readLosses(folder.path())) totals.add(loss);
    return totals;
  }

  TemporaryFolder folder;
  FakeSource source;
  Progress progress;
  BufferQueue queue;
  Retention retention;
  std::unique_ptr<Finisher> finisher;
  SegmentStore store;
  Intake intake;
  Recorder recorder;
  std::thread writing;
  std::thread reading;
};

bool ascending(const std::vector<uint32_t>& numbers) {
  for (size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] <= numbers[i - 1]) return false;
  return true;
}

// A limit on the size of files, as a disk that refuses: EFBIG in place of ENOSPC.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    set(bytes);
  }
  ~FileLimit() { lift(); }
  void lift() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  void set(rlim_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  rlimit before_;
};

}  // namespace

TEST("a packet is visible within half a second") {
  Capture capture(1000);
  for (uint32_t n = 0; n < 5; ++n) {
    capture.source.send(n);
    const auto sent = std::chrono::steady_clock::now();
    while (readMarks(capture.folder.path())->packets_stored <= n) {
      if (std::chrono::steady_clock::now() - sent > milliseconds(900))
        return fail(__FILE__, __LINE__, "it took too long");
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  capture.stop();
  CHECK(capture.stored() == upTo(0, 5));
}

TEST("sent is stored and lost, whatever overflows") {
  Capture capture(300);
  uint32_t sent = 0, refused = 0;
  for (int burst = 0; burst < 200; ++burst) {
    for (int i = 0; i < 500; ++i) {
      refused += capture.source.send(sent, 60 + sent % 900) ? 0 : 1;
      ++sent;
    }
    if (burst % 10 == 0) std::this_thread::sleep_for(milliseconds(3));
  }
  capture.stop();
  const auto stored = capture.stored();
  CHECK(refused > 0);
  CHECK_EQ(capture.lost().sum(), refused);
  CHECK_EQ(stored.size() + refused, sent);
  CHECK(ascending(stored));
  CHECK_EQ(capture.progress.packets.load(), stored.size());
  const auto marks = readMarks(capture.folder.path());
  CHECK_EQ(marks->packets_stored, stored.size());
  CHECK_EQ(marks->lost_ring + marks->lost_queue + marks->lost_disk, refused);
  CHECK(marks->state == CaptureState::stopped);
}

TEST("a disk that refuses holds packets up; what then overflows is the disk's; it goes on") {
  Capture capture(2000, 2u << 20);
  for (uint32_t n = 0; n < 50; ++n) capture.source.send(n, 1000);
  while (readMarks(capture.folder.path())->packets_stored < 50) std::this_thread::sleep_for(milliseconds(5));
  uint32_t sent = 50, refused = 0;
  {
    FileLimit limit(4096);
    for (int i = 0; i < 10'000; ++i) {
      refused += capture.source.send(sent++, 1000) ? 0 : 1;
      if (i % 100 == 0) std::this_thread::sleep_for(milliseconds(10));
    }
    const auto marks = readMarks(capture.folder.path());
    CHECK(marks->state == CaptureState::disk_error);
    CHECK_EQ(capture.progress.disk_error.load(), EFBIG);
  }
  for (int i = 0; i < 100; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    refused += capture.source.send(sent++, 1000) ? 0 : 1;
  }
  capture.stop();
  const auto stored = capture.stored();
  CHECK(refused > 1000);
  CHECK_EQ(stored.size() + refused, sent);
  CHECK_EQ(capture.lost().sum(), refused);
  CHECK(capture.lost().disk > 1000);
  CHECK(ascending(stored));
  CHECK_EQ(stored.back(), sent - 1);
  CHECK_EQ(capture.progress.disk_error.load(), 0);
}

TEST("ended while the disk refuses: in time, and all is counted") {
  Capture capture(5000, 2u << 20);
  for (uint32_t n = 0; n < 50; ++n) capture.source.send(n, 1000);
  while (readMarks(capture.folder.path())->packets_stored < 50) std::this_thread::sleep_for(milliseconds(5));
  uint32_t sent = 50;
  FileLimit limit(4096);
  for (int i = 0; i < 9000; ++i) {
    capture.source.send(sent++, 1000);
    if (i % 100 == 0) std::this_thread::sleep_for(milliseconds(5));
  }
  const int64_t begun = steadyMs();
  capture.stop(300);
  CHECK(steadyMs() - begun < 3000);
  limit.lift();
  CHECK_EQ(capture.progress.packets.load(), 50u);
  const uint64_t lost = capture.progress.lost_ring + capture.progress.lost_queue + capture.progress.lost_disk;
  CHECK_EQ(50 + lost, sent);
}

TEST("a down interface is a gap, and what comes after it is stored") {
  Capture capture(1000);
  capture.source.send(0);
  capture.source.setLink(Link::down);
  std::this_thread::sleep_for(milliseconds(400));
  CHECK(capture.progress.link.load() == Link::down);
  capture.source.setLink(Link::gone);
  std::this_thread::sleep_for(milliseconds(400));
  capture.source.setLink(Link::up);
  std::this_thread::sleep_for(milliseconds(400));
  capture.source.send(1);
  capture.stop();
  CHECK(capture.stored() == upTo(0, 2));
  const auto losses = readLosses(capture.folder.path());
  CHECK_EQ(losses.size(), 2u);
  if (losses.size() == 2) {
    CHECK(losses[0].kind == LossKind::link_down && losses[1].kind == LossKind::link_gone);
    CHECK(losses[0].end == losses[1].start && losses[0].start < losses[0].end);
    CHECK_EQ(losses[1].packets, kUnknownPackets);
  }
}

TEST("a seal that is asked for ends the segment") {
  Capture capture(1000);
  for (uint32_t n = 0; n < 3; ++n) {
    capture.source.send(n);
    while (readMarks(capture.folder.path())->packets_stored <= n) std::this_thread::sleep_for(milliseconds(5));
    ++capture.progress.seals_asked;
    capture.queue.nudge();
    while (capture.progress.seals_done != n + 1) std::this_thread::sleep_for(milliseconds(1));
    CHECK(capture.folder.has(sealedName(n + 1)));
  }
}

TEST("retention while it runs: the newest stay, within the limit") {
  Capture capture(100'000, 8u << 20, 1u << 20, {4u << 20, 0});
  uint32_t sent = 0;
  while (sent < 20'000) {
    for (int i = 0; i < 200; ++i)
      if (capture.source.send(sent, 1000)) ++sent;
    std::this_thread::sleep_for(milliseconds(2));
    CHECK(capture.retention.bytes() <= 4u << 20);
  }
  capture.stop();
  const auto stored = capture.stored();
  CHECK(stored.size() > 2500 && stored.size() < 4200);
  CHECK(stored == upTo(sent - static_cast<uint32_t>(stored.size()), static_cast<uint32_t>(stored.size())));
  CHECK_EQ(capture.progress.packets.load(), sent);
}

TEST("the queue: bounded, in order, and the buffer used last comes first") {
  BufferQueue queue(3u << 20);
  PacketBuffer* a = queue.takeEmpty(0);
  PacketBuffer* b = queue.takeEmpty(0);
  PacketBuffer* c = queue.takeEmpty(0);
  CHECK(a != nullptr && b != nullptr && c != nullptr);
  CHECK(queue.takeEmpty(5) == nullptr);
  CHECK(!queue.backlog());
  queue.push(b);
  queue.push(a);
  CHECK(queue.backlog());
  CHECK(queue.pop(std::chrono::steady_clock::now()) == b);
  CHECK(queue.pop(std::chrono::steady_clock::now()) == a);
  CHECK(queue.pop(std::chrono::steady_clock::now()) == nullptr);
  b->size = 5;
  queue.giveBack(a);
  queue.giveBack(b);
  CHECK(queue.takeEmpty(0) == b);
  CHECK_EQ(b->size, 0u);
  queue.push(c);
  queue.close();
  CHECK(!queue.ended());
  CHECK(queue.pop(std::chrono::steady_clock::now() + std::chrono::hours(1)) == c);
  CHECK(queue.ended());
  CHECK(queue.pop(std::chrono::steady_clock::now() + std::chrono::hours(1)) == nullptr);
}

TEST("what was lost is counted before what came after it is visible") {
  Capture capture(40, 8u << 20, 16u << 20);
  uint32_t sent = 0;
  uint64_t seen = 0;
  size_t holes = 0;
  for (const int64_t end = steadyMs() + 30'000; holes < 5 && steadyMs() < end;
       std::this_thread::sleep_for(milliseconds(1))) {
    for (int i = 0; i < 100; ++i) capture.source.send(sent++);
    const auto marks = readMarks(capture.folder.path());
    if (marks->packets == seen) continue;
    seen = marks->packets;
    Buffer part = capture.folder.read(partName(marks->segment_id));
    part.resize(marks->visible_bytes);
    const auto numbers = readBack(part).numbers;
    CHECK_EQ(numbers.size(), seen);
    const uint64_t missing = numbers.back() + 1 - numbers.size();
    CHECK(marks->lost_ring + marks->lost_queue + marks->lost_disk >= missing);
    CHECK(capture.lost().sum() >= missing);
    holes += missing != 0 ? 1 : 0;
  }
  CHECK_EQ(holes, 5u);
}

TEST("times that step back: retention keeps what came last") {
  Capture capture(100'000, 8u << 20, 1u << 20, {4u << 20, 0});
  uint32_t sent = 0;
  while (sent < 20'000) {
    if (sent == 10'000) capture.source.setClock(-3600 * kNanosPerSecond);
    for (int i = 0; i < 200; ++i)
      if (capture.source.send(sent, 1000)) ++sent;
    std::this_thread::sleep_for(milliseconds(2));
  }
  capture.stop();
  const auto stored = capture.stored();
  CHECK(stored.size() > 2500);
  CHECK(stored == upTo(sent - static_cast<uint32_t>(stored.size()), static_cast<uint32_t>(stored.size())));
}

TEST("a segment that can't get its name is told, and read all the same; the next one is no error any more") {
  Capture capture(1000);
  makeFolder(capture.folder / sealedName(1), 0755);
  const auto sealed = [&](uint32_t n) {
    capture.source.send(n);
    while (readMarks(capture.folder.path())->packets_stored <= n) std::this_thread::sleep_for(milliseconds(5));
    ++capture.progress.seals_asked;
    capture.queue.nudge();
    while (capture.progress.seals_done != n + 1) std::this_thread::sleep_for(milliseconds(1));
  };
  const auto stateIs = [&](CaptureState state) {
    const int64_t end = steadyMs() + 20'000;
    while (readMarks(capture.folder.path())->state != state && steadyMs() < end)
      std::this_thread::sleep_for(milliseconds(5));
    return readMarks(capture.folder.path())->state == state;
  };
  sealed(0);
  CHECK(stateIs(CaptureState::disk_error));
  CHECK(readBack(capture.folder.read(partName(1))).numbers == upTo(0, 1));
  sealed(1);
  CHECK(stateIs(CaptureState::capturing));
  CHECK(capture.folder.has(sealedName(2)));
  capture.stop();
}

}  // namespace spillway::test
