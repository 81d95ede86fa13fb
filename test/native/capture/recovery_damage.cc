// Damage in what a killed capture left: never is a wrong packet kept, and what is left out is counted.
#include <fcntl.h>

#include <filesystem>
#include <random>

#include "capture/left_job.h"
#include "index/sidecar_reader.h"

namespace spillway::test {

using namespace capture;

namespace {

constexpr uint32_t kPackets = 1300;
constexpr size_t kPacketBytes = 100;
constexpr uint32_t kStale = 1'000'000;
const std::string kPart = partName(2);
const std::string kIndex = stemName(2) + ".index";

// In memory, where syncing costs nothing.
const char* quickPlace() { return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; }

// Segment 2 holds kPackets visible packets in some closed blocks and a tail, over a file that was full of stale ones of
// the same size.
struct Left {
  Left() : job(quickPlace()) {
    killedAfter([&] {
      Retention retention({400'000, 0});
      SegmentStore store(storeOptions(job.at(), 256u << 10), &retention);
      if (store.open(kNow)) ::_exit(1);
      const Buffer stale = blocksOf(kStale, 1900, kPacketBytes);
      putAll(&store, stale);
      store.seal(kNow);
      const Buffer fresh = blocksOf(0, kPackets, kPacketBytes);
      putAll(&store, fresh);
      store.commit(kNow);
    });
    for (const std::string& name : job.folder.names()) CHECK_EQ(name, std::string("0-test0"));
    part = read(kPart);
    index = read(kIndex);
    marks = read("marks");
    losses = read("losses");
    visible = readMarks(job.at())->visible_bytes;
    int error;
    const Fd fd = openFile(job.at() + "/" + kIndex, O_RDONLY, &error);
    std::string why;
    const auto reader = SidecarReader::open(fd.get(), &why);
    CHECK(reader && reader->entries(&entries, &why));
    CHECK(entries.size() == 2 && entries.back().end() < visible && visible < part.size());
    CHECK(!job.folder.has(job.file(sealedName(1))) && readBack(part).numbers.back() >= kStale);
  }
  Buffer read(const std::string& name) const { return job.folder.read(job.file(name)); }
  void write(const std::string& name, const Buffer& bytes) const {
    const std::string path = job.at() + "/" + name;
    removeFile(path);
    int error;
    const Fd fd = openFile(path, O_WRONLY | O_CREAT, &error);
    CHECK_EQ(writeAllAt(fd.get(), bytesOf(bytes), 0), 0);
  }
  // The folder with these files; those that are empty are missing.
  void restore(const Buffer& the_part, const Buffer& the_index, const Buffer& the_marks) const {
    removeFile(job.at() + "/" + sealedName(2));
    const std::pair<std::string, const Buffer*> files[] = {
        {kPart, &the_part}, {kIndex, &the_index}, {"marks", &the_marks}, {"losses", &losses}};
    for (const auto& [name, bytes] : files) {
      if (bytes->empty()) removeFile(job.at() + "/" + name);
      else write(name, *bytes);
    }
  }

  Job job;
  Buffer part, index, marks, losses;
  uint64_t visible = 0;
  std::vector<BlockEntry> entries;
};

struct Kept {
  std::vector<uint32_t> numbers;
  std::vector<size_t> wrong;  // of them, those that are not as they were put
  uint64_t lost = 0;          // on record
};

// Recovers, and holds every packet that is kept against what was put.
Kept recovered(const Left& left) {
  Kept kept;
  for (const Repair& repair : left.job.recoverAll()) CHECK(repair.what != Repair::What::failed);
  for (const Loss& loss : readLosses(left.job.at()))
    if (loss.kind == LossKind::disk) kept.lost += loss.packets;
  CHECK(!left.job.folder.has(left.job.file(kPart)));
  const Buffer file = left.read(sealedName(2));
  PcapngReader reader;
  Packet packet;
  for (size_t at = 0; at < file.size(); at += packet.record.size) {
    const Next next = reader.next(file.data() + at, file.size() - at, &packet);
    if (next == Next::need_more || next == Next::damage) {
      fail(__FILE__, __LINE__, "what is sealed is not whole");
      return kept;
    }
    if (next != Next::packet) continue;
    CHECK_EQ(reader.interfaces().front().link_type, 1u);
    const uint32_t number = packet.caplen < 4 ? 0 : load32(packet.data);
    const Buffer data = copyOf({packet.data, packet.caplen});
    if (data != numbered(number, kPacketBytes) || packet.time != 1'000'000 + number || packet.wirelen != kPacketBytes)
      kept.wrong.push_back(kept.numbers.size());
    kept.numbers.push_back(number);
  }
  return kept;
}

// Exactly the packets below `count`, and the others on record.
void checkPrefix(const Kept& kept, uint32_t count) {
  CHECK(kept.wrong.empty());
  CHECK(kept.numbers == upTo(0, count));
  CHECK_EQ(kept.lost, kPackets - count);
}

Buffer flipped(Buffer bytes, size_t at, uint8_t bits = 1) {
  bytes[at] ^= bits;
  return bytes;
}
Buffer cut(const Buffer& bytes, size_t size) { return Buffer(bytes.begin(), bytes.begin() + static_cast<long>(size)); }

// Every place near the edges of blocks and packets, and some of all the others.
std::vector<size_t> places(const Left& left) {
  std::vector<size_t> all;
  for (size_t at = 0; at < left.visible; ++at) {
    const auto near = [&](uint64_t edge) { return at + 36 > edge && at < edge + 36; };
    if (near(0) || near(left.entries[0].end()) || near(left.entries[1].end()) || near(left.visible) || at % 773 == 0)
      all.push_back(at);
  }
  return all;
}

}  // namespace

TEST("a flipped byte costs its block, and no other packet") {
  const Left left;
  const uint64_t closed = left.entries.back().end();
  const uint32_t in_first = left.entries[0].packets, in_both = in_first + left.entries[1].packets;
  for (const size_t at : places(left)) {
    CONTEXT("at " << at);
    left.restore(flipped(left.part, at, static_cast<uint8_t>(1u << at % 8)), left.index, left.marks);
    const Kept kept = recovered(left);
    if (at >= closed) {
      // No checksum covers the tail, of at most 64 KiB: a packet that is changed is not seen, unless its lengths are.
      CHECK(kept.wrong.size() <= 1);
      CHECK(kept.numbers.size() >= in_both);
      CHECK(kept.wrong.empty() || kept.wrong.front() == in_both + (at - closed) / 132);
      CHECK_EQ(kept.numbers.size() + kept.lost, kPackets);
      continue;
    }
    const bool first = at < left.entries[0].end();
    std::vector<uint32_t> numbers = first ? upTo(in_first, kPackets - in_first) : upTo(0, in_first);
    if (!first)
      for (uint32_t n = in_both; n < kPackets; ++n) numbers.push_back(n);
    CHECK(kept.wrong.empty());
    CHECK(kept.numbers == numbers);
    CHECK_EQ(kept.lost, left.entries[first ? 0 : 1].packets);
  }
}

TEST("several damaged blocks are left out, each; a second look finds nothing") {
  const Left left;
  const uint32_t in_both = left.entries[0].packets + left.entries[1].packets;
  left.restore(flipped(flipped(left.part, 3000), left.entries[1].end() - 1), left.index, left.marks);
  const Kept kept = recovered(left);
  CHECK(kept.wrong.empty());
  CHECK(kept.numbers == upTo(in_both, kPackets - in_both));
  CHECK_EQ(kept.lost, in_both);
  const ReadBack back = left.job.segment(2);
  CHECK_EQ(statistic(back.statistics, 5), in_both);
  CHECK_EQ(statistic(back.statistics, 8), kPackets - in_both);
  CHECK_EQ(left.job.recoverAll().size(), 0u);
}

TEST("a complete segment whose last block is damaged gets its statistics again") {
  const Left left;
  killedAfter([&] {
    Retention retention({});
    left.job.recoverAll();
    SegmentStore store(storeOptions(left.job.at(), 256u << 10), &retention);
    if (store.open(kNow)) ::_exit(1);
    const Buffer blocks = blocksOf(kPackets, 1, kPacketBytes);
    putAll(&store, blocks);
    store.commit(kNow);
  });
  // As if it had been killed before the name was given.
  const Buffer whole = left.read(sealedName(2));
  removeFile(left.job.at() + "/" + sealedName(2));
  left.write(kPart, flipped(whole, whole.size() - 200));
  const Kept kept = recovered(left);
  CHECK(kept.wrong.empty());
  CHECK(!kept.numbers.empty() && kept.numbers == upTo(0, static_cast<uint32_t>(kept.numbers.size())));
  CHECK_EQ(kept.numbers.size() + kept.lost, kPackets);
  CHECK_EQ(statistic(left.job.segment(2).statistics, 8), kept.numbers.size());
}

TEST("a segment that is cut anywhere keeps its whole packets, and counts the others") {
  const Left left;
  for (const size_t size : places(left)) {
    CONTEXT("cut to " << size);
    left.restore(cut(left.part, size + 1), left.index, left.marks);
    const Kept kept = recovered(left);
    checkPrefix(kept, static_cast<uint32_t>(kept.numbers.size()));
    // At most the packet that is cut, and the header.
    CHECK((kept.numbers.size() + 1) * 132 + 200 > size);
  }
}

TEST("a sidecar that is flipped or cut anywhere costs nothing where the marks stand") {
  const Left left;
  CHECK(left.index.size() > 1000);
  for (size_t at = 0; at < left.index.size(); at += at < 200 ? 1 : 11) {
    CONTEXT("at " << at);
    left.restore(left.part, flipped(left.index, at, 0x10), left.marks);
    checkPrefix(recovered(left), kPackets);
    left.restore(left.part, cut(left.index, at), left.marks);
    checkPrefix(recovered(left), kPackets);
  }
}

TEST("without marks, a sidecar that is flipped or cut vouches for less, never for what is wrong") {
  const Left left;
  const uint32_t in_both = left.entries[0].packets + left.entries[1].packets;
  for (size_t at = 0; at < left.index.size(); at += at < 200 ? 1 : 11) {
    CONTEXT("at " << at);
    for (const Buffer& index : {flipped(left.index, at, 0x80), cut(left.index, at)}) {
      left.restore(left.part, index, {});
      const Kept kept = recovered(left);
      CHECK(kept.wrong.empty());
      CHECK(kept.numbers.empty() || kept.numbers == upTo(0, in_both));
    }
  }
}

TEST("marks that are flipped or cut anywhere: what is kept is right") {
  const Left left;
  size_t whole = 0;
  for (size_t at = 0; at < 400; ++at) {
    CONTEXT("at " << at);
    for (const Buffer& marks : {flipped(left.marks, at, 0x04), cut(left.marks, at)}) {
      left.restore(left.part, left.index, marks);
      const Kept kept = recovered(left);
      CHECK(kept.wrong.empty());
      CHECK(kept.numbers == upTo(0, static_cast<uint32_t>(kept.numbers.size())));
      CHECK(kept.numbers.size() >= left.entries[0].packets + left.entries[1].packets);
      whole += kept.numbers.size() == kPackets ? 1 : 0;
    }
  }
  CHECK(whole > 200);
}

TEST("any two of it at once: what is kept is right") {
  const Left left;
  const uint64_t closed = left.entries.back().end();
  std::mt19937 random(1);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const auto damage = [&](const Buffer& bytes, size_t upto) {
    const uint32_t how = random() % 4;
    return how == 0 ? bytes : how == 1 ? cut(bytes, 1 + below(upto)) : flipped(bytes, below(upto), 0x20);
  };
  for (int i = 0; i < 500; ++i) {
    CONTEXT("case " << i);
    left.restore(damage(left.part, closed), damage(left.index, left.index.size()), damage(left.marks, 320));
    const Kept kept = recovered(left);
    // Without a sidecar nothing tells that a packet's bytes are others.
    CHECK(kept.wrong.size() <= 1);
    for (size_t at = 0; at < kept.numbers.size(); ++at)
      CHECK(kept.numbers[at] < kStale || (!kept.wrong.empty() && kept.wrong.front() == at));
  }
}

}  // namespace spillway::test
