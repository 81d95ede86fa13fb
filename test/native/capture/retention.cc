// What retention frees, and what it leaves.
#include "capture/retention.h"

#include <fcntl.h>
#include <sys/file.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

namespace {

constexpr Nanos kSecond = kNanosPerSecond;

// A folder with sealed segments first .. last, each of 1,000 bytes with its sidecar, that end at `id` seconds.
struct Buffered {
  explicit Buffered(RetentionLimits limits, uint64_t first = 1, uint64_t last = 5) : retention(limits) {
    for (uint64_t id = first; id <= last; ++id) {
      folder.write(sealedName(id), Buffer(900, static_cast<uint8_t>(id)));
      folder.write(stemName(id) + ".index", Buffer(100));
      retention.add({folder.path(), id, 1000, static_cast<Nanos>(id) * kSecond});
    }
  }
  std::string left() const {
    std::string ids;
    std::vector<FolderEntry> entries;
    listFolder(folder.path(), &entries);
    for (const FolderEntry& entry : entries)
      if (entry.kind == EntryKind::sealed) ids += std::to_string(entry.id) + " ";
    return ids;
  }
  TemporaryFolder folder;
  Retention retention;
};

}  // namespace

TEST("by bytes, the oldest first, with their sidecars") {
  Buffered buffer({3500, 0});
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("3 4 5 "));
  CHECK_EQ(buffer.folder.names().size(), 6u);
  CHECK_EQ(buffer.retention.bytes(), 3000u);
  CHECK_EQ(buffer.retention.freed(), 2u);
  CHECK_EQ(buffer.retention.oldest(), 3 * kSecond);
}

TEST("by age") {
  Buffered buffer({0, 2});
  buffer.retention.enforce(5 * kSecond);
  CHECK_EQ(buffer.left(), std::string("3 4 5 "));
  buffer.retention.enforce(100 * kSecond);
  CHECK_EQ(buffer.left(), std::string());
  CHECK_EQ(buffer.retention.bytes(), 0u);
}

TEST("no limit, nothing goes") {
  Buffered buffer({0, 0});
  buffer.retention.enforce(1000 * kSecond);
  CHECK(!buffer.retention.makeRoom(uint64_t{1} << 40, buffer.folder / partName(6), 0));
  CHECK_EQ(buffer.left(), std::string("1 2 3 4 5 "));
}

TEST("room for a new segment: the last one freed is written over") {
  Buffered buffer({5000, 0});
  buffer.retention.setOpen(buffer.folder.path(), 1000);
  CHECK(buffer.retention.makeRoom(1000, buffer.folder / partName(6), 0));
  CHECK_EQ(buffer.left(), std::string("3 4 5 "));
  CHECK_EQ(buffer.folder.read(partName(6)), Buffer(900, 2));
  CHECK(!buffer.folder.has(stemName(2) + ".index"));
  CHECK(!buffer.retention.makeRoom(1000, buffer.folder / partName(7), 0));  // there is room
}

TEST("open segments count and are not touched") {
  Buffered buffer({3000, 0});
  buffer.folder.write(partName(6), Buffer(10));
  buffer.retention.setOpen(buffer.folder.path(), 2000);
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("5 "));
  CHECK(buffer.folder.has(partName(6)));
  buffer.retention.setOpen(buffer.folder.path(), 9000);
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string());
  CHECK(buffer.folder.has(partName(6)));
}

TEST("a pinned segment stays, and the next goes") {
  Buffered buffer({3000, 0});
  buffer.folder.write(stemName(1) + ".pin-clip", {});
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("1 4 5 "));
  std::filesystem::remove(buffer.folder / (stemName(1) + ".pin-clip"));
  buffer.retention.setLimits({2000, 0});
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("4 5 "));
}

TEST("a pin that has ended holds nothing, and goes with its segment") {
  Buffered buffer({3000, 0});
  buffer.folder.write(stemName(1) + ".pin-00aa", text("7000000000\n"));
  buffer.folder.write(stemName(2) + ".pin-00aa", text("7000000000\n"));
  buffer.folder.write(stemName(2) + ".pin-00bb", text("0\n"));
  buffer.retention.enforce(7 * kSecond - 1);
  CHECK_EQ(buffer.left(), std::string("1 2 5 "));
  buffer.retention.setLimits({2000, 0});
  buffer.retention.enforce(7 * kSecond);
  CHECK_EQ(buffer.left(), std::string("2 5 "));
  CHECK(buffer.folder.names() ==
        (std::vector<std::string>{stemName(2) + ".index", sealedName(2), stemName(2) + ".pin-00aa",
                                  stemName(2) + ".pin-00bb", stemName(5) + ".index", sealedName(5)}));
}

TEST("pins hold whoever asks for room") {
  Buffered buffer({0, 0});
  for (uint64_t id = 1; id <= 4; ++id) buffer.folder.write(stemName(id) + ".pin-00aa", text("0\n"));
  CHECK(buffer.retention.freeOldest(0));
  CHECK(!buffer.retention.freeOldest(0));
  buffer.retention.setLimits({1000, 1});
  CHECK(!buffer.retention.makeRoom(1000, buffer.folder / partName(6), 0));
  buffer.retention.enforce(100 * kSecond);
  CHECK_EQ(buffer.left(), std::string("1 2 3 4 "));
}

TEST("a pin that is written when its segment was already found free holds it") {
  Buffered buffer({0, 0});
  Pins before(0);
  CHECK(!before.hold(buffer.folder.path(), 1));
  buffer.folder.write(stemName(1) + ".pin-00aa", text("0\n"));
  CHECK(!before.hold(buffer.folder.path(), 1));  // it does not look twice
  CHECK(!freeSegment(buffer.folder.path(), 1, nullptr, 0));
  CHECK_EQ(buffer.left(), std::string("1 2 3 4 5 "));
  std::filesystem::remove(buffer.folder / (stemName(1) + ".pin-00aa"));
  CHECK(freeSegment(buffer.folder.path(), 1, nullptr, 0));
}

TEST("a segment that was pinned under a shared lock is not freed, however close both came") {
  const TemporaryFolder folder;
  constexpr uint64_t kRounds = 500;
  std::atomic<uint64_t> begun{0}, done{0};
  std::atomic<bool> freed{false};
  std::thread other([&] {
    for (uint64_t id = 1; id <= kRounds; ++id) {
      while (begun < id) std::this_thread::yield();
      freed = freeSegment(folder.path(), id, nullptr, 0);
      done = id;
    }
  });
  int both = 0, pinned = 0;
  for (uint64_t id = 1; id <= kRounds; ++id) {
    const std::string path = folder / sealedName(id), pin = folder / (stemName(id) + ".pin-00aa");
    int error;
    struct stat named;
    CHECK(openFile(path, O_WRONLY | O_CREAT, &error));
    begun = id;
    std::this_thread::sleep_for(std::chrono::microseconds(id % 100));
    bool is_pinned = false;
    {
      const Fd held = openFile(path, O_RDONLY, &error);
      if (held && lockShared(held.get()) && ::stat(path.c_str(), &named) == 0)
        is_pinned = bool(openFile(pin, O_WRONLY | O_CREAT, &error));
    }
    while (done < id) std::this_thread::yield();
    pinned += is_pinned ? 1 : 0;
    both += is_pinned && freed ? 1 : 0;
    removeFile(path);
    removeFile(pin);
  }
  other.join();
  CHECK(pinned > 0 && pinned < static_cast<int>(kRounds));
  CHECK_EQ(both, 0);
}

TEST("what is held is looked at again after a while, and at once under new limits") {
  Buffered buffer({0, 1});
  const std::string pin = stemName(1) + ".pin-00aa";
  buffer.folder.write(pin, text("0\n"));
  buffer.retention.enforce(100 * kSecond);
  CHECK_EQ(buffer.left(), std::string("1 "));
  std::filesystem::remove(buffer.folder / pin);
  buffer.retention.enforce(101 * kSecond);
  CHECK_EQ(buffer.left(), std::string("1 "));
  buffer.retention.enforce(102 * kSecond);
  CHECK_EQ(buffer.left(), std::string());

  Buffered another({0, 1});
  another.folder.write(pin, text("0\n"));
  another.retention.enforce(100 * kSecond);
  std::filesystem::remove(another.folder / pin);
  another.retention.setLimits({0, 2});
  another.retention.enforce(100 * kSecond);
  CHECK_EQ(another.left(), std::string());

  // A clock that was set back is no reason to wait.
  Buffered third({0, 1});
  third.folder.write(pin, text("0\n"));
  third.retention.enforce(100 * kSecond);
  std::filesystem::remove(third.folder / pin);
  third.retention.enforce(50 * kSecond);
  CHECK_EQ(third.left(), std::string());
}

TEST("a segment that is read stays until it is let go of") {
  Buffered buffer({0, 0});
  int error;
  Fd reader = openFile(buffer.folder / sealedName(1), O_RDONLY, &error);
  CHECK_EQ(::flock(reader.get(), LOCK_SH | LOCK_NB), 0);
  CHECK(buffer.retention.freeOldest(0));
  CHECK_EQ(buffer.left(), std::string("1 3 4 5 "));
  buffer.retention.setLimits({0, 1});
  buffer.retention.enforce(100 * kSecond);
  CHECK_EQ(buffer.left(), std::string("1 "));
  CHECK(!buffer.retention.freeOldest(0));
  reader.reset();
  CHECK(buffer.retention.freeOldest(0));
  CHECK_EQ(buffer.left(), std::string());
  CHECK(!buffer.retention.freeOldest(0));
}

TEST("a reader that comes while its segment is freed sees it by the name") {
  Buffered buffer({0, 0});
  int error;
  const Fd reader = openFile(buffer.folder / sealedName(1), O_RDONLY, &error);
  const std::string recycled = buffer.folder / partName(9);
  CHECK(freeSegment(buffer.folder.path(), 1, &recycled, 0));
  CHECK_EQ(::flock(reader.get(), LOCK_SH | LOCK_NB), 0);
  struct stat held, named;
  CHECK_EQ(::fstat(reader.get(), &held), 0);
  CHECK_EQ(::stat((buffer.folder / sealedName(1)).c_str(), &named), -1);
  CHECK_EQ(::stat(recycled.c_str(), &named), 0);
  CHECK_EQ(held.st_ino, named.st_ino);
}

TEST("interfaces share the limit: the oldest of all goes") {
  Buffered buffer({2500, 0}, 3, 4);
  const TemporaryFolder other;
  other.write(sealedName(1), Buffer(900));
  buffer.retention.add({other.path(), 1, 1000, 2 * kSecond});
  buffer.retention.enforce(0);
  CHECK(!other.has(sealedName(1)));
  CHECK_EQ(buffer.left(), std::string("3 4 "));
}

TEST("a segment that somebody removed is forgotten") {
  Buffered buffer({4000, 0});
  std::filesystem::remove(buffer.folder / sealedName(1));
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("2 3 4 5 "));
  CHECK_EQ(buffer.retention.bytes(), 4000u);
}

TEST("a clock that is set back: what came first goes first, all the same") {
  Buffered buffer({8000, 0});
  for (uint64_t id = 6; id <= 8; ++id) {
    buffer.folder.write(sealedName(id), Buffer(1000));
    buffer.retention.add({buffer.folder.path(), id, 1000, static_cast<Nanos>(id - 5) * kSecond});
  }
  buffer.retention.setLimits({3000, 0});
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string("6 7 8 "));
  // Another interface is on the same clock, and keeps its own order.
  TemporaryFolder other;
  for (uint64_t id = 1; id <= 3; ++id) {
    other.write(sealedName(id), Buffer(1000));
    buffer.retention.add({other.path(), id, 1000, static_cast<Nanos>(id == 1 ? 9 : id) * kSecond});
  }
  buffer.retention.setLimits({2000, 0});
  buffer.retention.enforce(0);
  CHECK_EQ(buffer.left(), std::string());
  CHECK(!other.has(sealedName(1)) && other.has(sealedName(2)) && other.has(sealedName(3)));
}

TEST("a clock that is set back: what seems to be of the future grows old from now on") {
  Buffered buffer({0, 10}, 1001, 1003);  // ends at 1,001 s and later
  buffer.retention.enforce(100 * kSecond);
  buffer.retention.enforce(110 * kSecond);
  CHECK_EQ(buffer.left(), std::string("1001 1002 1003 "));
  buffer.retention.enforce(111 * kSecond);
  CHECK_EQ(buffer.left(), std::string());
}

}  // namespace spillway::test
