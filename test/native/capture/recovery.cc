// What a capture that was killed leaves, and what becomes of it.
#include "capture/recovery.h"

#include <csignal>
#include <map>

#include "capture/left_job.h"
#include "capture/other_boot.h"

namespace spillway::test {

using namespace capture;

TEST("what was visible is kept, whole, and sealed") {
  for (const uint32_t packets : {1u, 10u, 700u, 5000u}) {
    CONTEXT(packets << " packets");
    const Job job;
    leaveOpen(job, packets, 3, 100);
    Retention retention({});
    const auto repairs = job.recoverAll(&retention);
    CHECK_EQ(repairs.size(), 1u);
    CHECK(repairs[0].what == Repair::What::sealed);
    CHECK_EQ(repairs[0].packets, packets);
    CHECK_EQ(repairs[0].folder, std::string("0-test0"));
    const ReadBack back = job.segment(1);
    CHECK(back.whole);
    CHECK(back.numbers == upTo(0, packets));
    CHECK_EQ(statistic(back.statistics, 8), packets);
    CHECK_EQ(statistic(back.statistics, 5), 4u);
    CHECK(!job.folder.has(job.file(partName(1))));
    CHECK_EQ(retention.segments(), 1u);
    // A second look finds nothing to do.
    CHECK_EQ(job.recoverAll().size(), 0u);
  }
}

TEST("nothing committed, nothing kept") {
  const Job job;
  killedAfter([&] {
    Retention retention({});
    SegmentStore store(storeOptions(job.at()), &retention);
    if (store.open(kNow)) ::_exit(1);
    const Buffer blocks = blocksOf(0, 3, 100);
    putAll(&store, blocks);
  });
  const auto repairs = job.recoverAll();
  CHECK_EQ(repairs.size(), 1u);
  CHECK(repairs[0].what == Repair::What::removed);
  CHECK(!job.folder.has(job.file(partName(1))));
  CHECK(!job.folder.has(job.file(stemName(1) + ".index")));
  // The id is not used again all the same.
  Retention retention({});
  SegmentStore store(storeOptions(job.at()), &retention);
  CHECK(!store.open(kNow));
  const Buffer blocks = blocksOf(0, 1, 60);
  putAll(&store, blocks);
  CHECK_EQ(store.seal(kNow), 0);
  CHECK(job.folder.has(job.file(sealedName(2))));
}

TEST("stale bytes of a recycled file are never taken for packets") {
  const Job job;
  // A segment full of whole packets is written over by one with fewer: right behind its end old packets go on.
  killedAfter([&] {
    Retention retention({(1u << 20) + 200'000, 0});
    SegmentStore store(storeOptions(job.at()), &retention);
    if (store.open(kNow)) ::_exit(1);
    const Buffer old = blocksOf(1'000'000, 7000, 100);
    putAll(&store, old);
    store.seal(kNow);
    const Buffer fresh = blocksOf(0, 50, 100);
    putAll(&store, fresh);
    store.commit(kNow);
  });
  CHECK(!job.folder.has(job.file(sealedName(1))));
  const Buffer part = job.folder.read(job.file(partName(2)));
  CHECK_EQ(part.size(), 1u << 20);
  CHECK(readBack(part).numbers.size() > 5000);  // old packets can be read from it
  for (const bool marks : {true, false}) {
    CONTEXT("marks " << marks);
    const Job copy;
    std::filesystem::copy(job.at(), copy.at(), std::filesystem::copy_options::recursive);
    if (!marks) std::filesystem::remove(copy.at() + "/marks");
    const auto repairs = copy.recoverAll();
    CHECK_EQ(repairs.size(), 1u);
    if (marks) CHECK(copy.segment(2).numbers == upTo(0, 50));
    else CHECK(repairs[0].what == Repair::What::removed);
  }
}

TEST("without marks the sidecar vouches for whole blocks") {
  const Job job;
  leaveOpen(job, 3000, 0, 100);
  std::filesystem::remove(job.at() + "/marks");
  const auto repairs = job.recoverAll();
  CHECK(repairs[0].what == Repair::What::sealed);
  const ReadBack back = job.segment(1);
  CHECK(back.whole);
  // About six blocks of 64 KiB of 3,000 packets of 132 bytes.
  CHECK(back.numbers.size() >= 2900 - 500 && back.numbers.size() < 3000);
  CHECK(back.numbers == upTo(0, static_cast<uint32_t>(back.numbers.size())));
}

TEST("after a restart of the machine the marks vouch only for what was durable") {
  const Job job;
  leaveOpen(job, 100, 0, 100);  // not one whole block, never synced
  pretendOtherBoot(job.at());
  const auto repairs = job.recoverAll();
  CHECK(repairs[0].what == Repair::What::removed);
}

TEST("a block that is not what the sidecar says ends what is kept without marks") {
  const Job job;
  leaveOpen(job, 5000, 0, 100);
  std::filesystem::remove(job.at() + "/marks");
  Buffer part = job.folder.read(job.file(partName(1)));
  part[200'000] ^= 1;
  job.folder.write(job.file(partName(1)), part);
  job.recoverAll();
  const ReadBack back = job.segment(1);
  CHECK(back.whole);
  CHECK(back.numbers == upTo(0, static_cast<uint32_t>(back.numbers.size())));
  CHECK(back.numbers.size() > 1000 && back.numbers.size() * 132 < 200'000);
}

TEST("a block damaged within what is visible cuts there") {
  const Job job;
  leaveOpen(job, 100, 0, 100);
  Buffer part = job.folder.read(job.file(partName(1)));
  const ReadBack whole =
      readBack(Buffer(part.begin(), part.begin() + static_cast<long>(readMarks(job.at())->visible_bytes)));
  CHECK_EQ(whole.numbers.size(), 100u);
  part[5000] = 0xff;
  part[5001] = 0xff;
  part[5002] = 0xff;
  part[5003] = 0xff;
  job.folder.write(job.file(partName(1)), part);
  const auto repairs = job.recoverAll();
  const ReadBack back = job.segment(1);
  CHECK(back.whole);
  CHECK_EQ(repairs[0].packets, back.numbers.size());
  // Damage of a packet's bytes can't be seen; of its lengths it can. Here every block is 132 bytes long.
  CHECK(back.numbers.size() == 100 || repairs[0].cut_bytes > 0);
}

TEST("killed between the last bytes and the new name: sealed once, with one block of statistics") {
  const Job job;
  leaveOpen(job, 100, 0, 100);
  job.recoverAll();
  std::filesystem::rename(job.at() + "/" + sealedName(1), job.at() + "/" + partName(1));
  const Buffer before = job.folder.read(job.file(partName(1)));
  job.recoverAll();
  CHECK_EQ(job.folder.read(job.file(sealedName(1))), before);
}

TEST("killed while a segment is being finished and the next one grows: both are kept") {
  for (const int sidecar : {0, 1, 2}) {
    CONTEXT("sidecar " << sidecar);
    const Job job;
    killedAfter([&] {
      Retention retention({});
      SegmentStore store(storeOptions(job.at()), &retention);
      if (store.open(kNow)) ::_exit(1);
      const Buffer first = blocksOf(0, 2000, 100), second = blocksOf(2000, 50, 100);
      putAll(&store, first);
      store.seal(kNow);
      putAll(&store, second);
      store.commit(kNow);
    });
    std::filesystem::rename(job.at() + "/" + sealedName(1), job.at() + "/" + partName(1));
    if (sidecar == 0) std::filesystem::remove(job.at() + "/" + stemName(1) + ".index");
    // After a restart of the machine the sidecar alone vouches for it.
    if (sidecar == 2) pretendOtherBoot(job.at());
    job.recoverAll();
    CHECK(job.segment(1).numbers == upTo(0, 2000));
    CHECK_EQ(job.folder.has(job.file(sealedName(2))), sidecar != 2);
  }
}

TEST("a repair that fails is made at the next start: nothing is lost, nothing stale comes in") {
  const Job job;
  leaveOpen(job, 100, 0, 100);
  // Neither the new name nor the sidecar can be had.
  std::filesystem::remove(job.at() + "/" + stemName(1) + ".index");
  for (const std::string& name : {sealedName(1), stemName(1) + ".index"})
    std::filesystem::create_directory(job.at() + "/" + name);
  auto repairs = job.recoverAll();
  CHECK_EQ(repairs.size(), 1u);
  CHECK(repairs[0].what == Repair::What::failed && repairs[0].error != 0);
  // The capture goes on, and is killed before its first packet.
  killedAfter([&] {
    Retention retention({});
    SegmentStore store(storeOptions(job.at()), &retention);
    if (store.open(kNow)) ::_exit(1);
  });
  for (const std::string& name : {sealedName(1), stemName(1) + ".index"})
    std::filesystem::remove(job.at() + "/" + name);
  repairs = job.recoverAll();
  CHECK_EQ(repairs.size(), 1u);
  CHECK(repairs[0].what == Repair::What::sealed);
  CHECK(job.segment(1).numbers == upTo(0, 100));
}

TEST("killed while it repairs what a power cut left: the next repair finds as much") {
  for (int i = 0; i < 30; ++i) {
    CONTEXT("killed after " << i * 400 << " us");
    const Job job;
    leaveOpen(job, 3000, 0, 100);
    pretendOtherBoot(job.at());
    const pid_t child = ::fork();
    if (child == 0) ::_exit(job.recoverAll().empty() ? 1 : 0);
    ::usleep(static_cast<useconds_t>(i) * 400);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (const Repair& repair : job.recoverAll()) CHECK(repair.what != Repair::What::failed);
    const auto numbers = job.segment(1).numbers;
    CHECK(numbers.size() > 2400);
    CHECK(numbers == upTo(0, static_cast<uint32_t>(numbers.size())));
    CHECK_EQ(job.folder.names().size(), 1u);
    std::vector<FolderEntry> entries;
    listFolder(job.at(), &entries);
    CHECK_EQ(entries.size(), 2u);
  }
}

TEST("a missing sidecar is made, leftovers are swept") {
  const Job job;
  leaveOpen(job, 2000, 0, 100);
  job.recoverAll();
  const Buffer sidecar = job.folder.read(job.file(stemName(1) + ".index"));
  CHECK(!sidecar.empty());
  std::filesystem::remove(job.at() + "/" + stemName(1) + ".index");
  job.folder.write(job.file(stemName(7) + ".index"), {1});
  job.folder.write(job.file(stemName(1) + ".index.part"), {1});
  std::map<std::string, Repair::What> repairs;
  for (const Repair& repair : job.recoverAll()) repairs[repair.file] = repair.what;
  CHECK_EQ(repairs.size(), 3u);
  CHECK(repairs[sealedName(1)] == Repair::What::index_made);
  CHECK(repairs[stemName(7) + ".index"] == Repair::What::swept);
  CHECK(repairs[stemName(1) + ".index.part"] == Repair::What::swept);
  CHECK_EQ(job.folder.read(job.file(stemName(1) + ".index")), sidecar);
}

TEST("killed at any moment, every packet that was visible is there, once and in order") {
  for (uint32_t seed = 0; seed < 12; ++seed) {
    CONTEXT("seed " << seed);
    const Job job;
    uint32_t shared[2];
    int ends[2];
    CHECK_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Retention retention({4u << 20, 0});
      SegmentStore store(storeOptions(job.at()), &retention);
      if (store.open(kNow)) ::_exit(1);
      for (uint32_t n = 0;; n += 40) {
        const Buffer blocks = blocksOf(n, 40, 100 + n % 700);
        putAll(&store, blocks);
        store.commit(kNow);
        const uint32_t done = n + 40;
        if (::write(ends[1], &done, sizeof done) < 0) ::_exit(1);
      }
    }
    ::close(ends[1]);
    uint32_t last = 0;
    // What was told before the kill is visible; the rest may be.
    while (last < 2000 + seed * 911 && ::read(ends[0], shared, 4) == 4) last = shared[0];
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], shared, 4) == 4) last = shared[0];
    ::close(ends[0]);
    for (const Repair& repair : job.recoverAll()) CHECK(repair.what != Repair::What::failed);
    std::vector<uint32_t> numbers;
    std::vector<FolderEntry> entries;
    CHECK_EQ(listFolder(job.at(), &entries), 0);
    for (const FolderEntry& entry : entries) {
      CHECK(entry.kind == EntryKind::sealed || entry.kind == EntryKind::index);
      if (entry.kind != EntryKind::sealed) continue;
      const ReadBack back = job.segment(entry.id);
      CHECK(back.whole && !back.statistics.empty());
      numbers.insert(numbers.end(), back.numbers.begin(), back.numbers.end());
    }
    // Retention may have freed the first ones; the others have no hole.
    CHECK(!numbers.empty());
    CHECK(numbers == upTo(numbers.front(), static_cast<uint32_t>(numbers.size())));
    CHECK(numbers.back() + 1 >= last);
  }
}

TEST("repairs are told as JSON") {
  Repair repair{Repair::What::sealed, "0-a\"b", "x", 1, 2, 3};
  CHECK_EQ(toJson(repair), std::string("{\"repair\":\"sealed\",\"folder\":\"0-a\\\"b\",\"file\":\"x\",\"packets\":1,"
                                       "\"kept_bytes\":2,\"cut_bytes\":3,\"lost_packets\":0}"));
  CHECK_EQ(toJson({Repair::What::swept, "f", "y"}),
           std::string("{\"repair\":\"swept\",\"folder\":\"f\",\"file\":\"y\"}"));
}

}  // namespace spillway::test
