// A job's folder with one interface, as a capture that was killed leaves it.
#pragma once
#include <csignal>
#include <string>
#include <vector>

#include "capture/recovery.h"
#include "capture/store.h"

namespace spillway::test {

struct Job {
  explicit Job(const char* under = "/tmp") : folder(under) { capture::makeFolder(folder / "0-test0", 0755); }
  std::string at() const { return folder / "0-test0"; }
  std::string file(const std::string& name) const { return "0-test0/" + name; }
  std::vector<capture::Repair> recoverAll(capture::Retention* retention = nullptr) const {
    std::vector<capture::Repair> repairs;
    const auto tell = [&](const capture::Repair& repair) { repairs.push_back(repair); };
    CHECK(!capture::recover(folder.path(), retention, tell));
    return repairs;
  }
  ReadBack segment(uint64_t id) const { return readBack(folder.read(file(capture::sealedName(id)))); }
  TemporaryFolder folder;
};

// Killed with `committed` packets visible and `more` of them written behind.
inline void leaveOpen(const Job& job, uint32_t committed, uint32_t more, size_t size) {
  killedAfter([&] {
    capture::Retention retention({});
    capture::SegmentStore store(storeOptions(job.at()), &retention);
    if (store.open(kNow)) ::_exit(1);
    const Buffer first = blocksOf(0, committed, size), second = blocksOf(committed, more, size);
    putAll(&store, first);
    store.lose({capture::LossKind::ring, 1, 2, 4, 0});
    store.commit(kNow);
    if (more != 0) putAll(&store, second);
  });
}

}  // namespace spillway::test
