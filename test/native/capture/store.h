// A store on a temporary folder, and how a capture that is killed leaves it.
#pragma once
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include "capture/folder.h"
#include "capture/segment_store.h"
#include "check.h"

namespace spillway::test {

constexpr Nanos kNow = 1'700'000'000'000'000'000;

inline capture::StoreOptions storeOptions(const std::string& folder, uint64_t segment_bytes = 1u << 20) {
  capture::StoreOptions options;
  options.folder = folder;
  options.segment_bytes = segment_bytes;
  options.segment_seconds = 3600;
  options.fsync = capture::Fsync::never;
  options.facts.name = "test0";
  options.facts.snap_length = 262144;
  options.application = "test";
  return options;
}

// Puts all blocks; they must stay where they are until they are written.
inline void putAll(capture::SegmentStore* store, const Buffer& blocks, Nanos now = kNow) {
  size_t taken = 0;
  CHECK_EQ(store->put(bytesOf(blocks), now, &taken), 0);
  CHECK_EQ(taken, blocks.size());
}

// Runs `work` in a process that is then killed: nothing is closed, flushed or sealed.
inline void killedAfter(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

}  // namespace spillway::test
