// The writer of sidecars: what it refuses, what it does when writing fails, and going on after an interruption.
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "check.h"
#include "index/block_builder.h"
#include "index/segments.h"
#include "index/sidecar_format.h"

namespace spillway::test {
namespace {

const auto kNever = [](size_t) { return false; };

std::unique_ptr<SidecarReader> open(const Buffer& bytes) {
  std::string why;
  auto reader = SidecarReader::open(bytesOf(bytes), &why);
  CHECK_EQ(why, "");
  return reader;
}

// Holds these blocks of the segment and misses none that is wanted.
void checkHolds(const Buffer& bytes, const Segment& segment, size_t blocks) {
  const auto reader = open(bytes);
  if (!reader) return;
  std::vector<BlockEntry> entries;
  std::string why;
  CHECK(reader->entries(&entries, &why));
  CHECK_EQ(entries.size(), blocks);
  const auto want = wantedEntries(segment);
  CHECK(std::equal(entries.begin(), entries.end(), want.begin()));
  for (size_t n = 0; n < entries.size(); ++n)
    CHECK(copyOf(reader->state(entries[n].state)) == segment.states[segment.blocks[n].state]);
  Random random(5);
  for (int n = 0; n < 20; ++n) {
    const IndexQuery query = randomQuery(random, segment);
    std::vector<BlockRun> runs;
    CHECK(reader->candidates(query, &runs, &why));
    const auto got = blocksOf(runs, entries.size());
    const auto wanted = wantedBlocks(query, segment);
    for (size_t block = 0; block < entries.size(); ++block) CHECK(got[block] || !wanted[block]);
  }
}

TEST("a block that does not follow the one before is refused") {
  const SidecarFolder folder;
  int error = 0;
  const auto writer = SidecarWriter::create(folder / "index", 1, &error);
  const uint32_t state = writer->state({});
  CHECK_EQ(writer->state({}), state);
  BlockBuilder builder;
  const auto add = [&](uint64_t start, uint64_t end, uint32_t of_state) {
    builder.begin(start, of_state);
    return writer->add(builder.close(end, 0));
  };
  CHECK_EQ(add(5, 10, state), -EINVAL);
  CHECK_EQ(add(0, 0, state), -EINVAL);
  CHECK_EQ(add(0, 10, state + 1), -EINVAL);
  CHECK_EQ(add(0, 10, state), 0);
  CHECK_EQ(add(0, 10, state), -EINVAL);
  CHECK_EQ(add(10, 12, state), 0);
  CHECK_EQ(writer->blocks(), 2);
  CHECK_EQ(writer->end(), 12);
}

TEST("states that there is no room for have no number") {
  const SidecarFolder folder;
  int error = 0;
  const auto writer = SidecarWriter::create(folder / "index", 1, &error);
  CHECK_EQ(writer->state(bytesOf(Buffer(sidecar::kMaxStateBytes + 1))), SidecarWriter::kNoState);
  CHECK_EQ(writer->state(bytesOf(Buffer(sidecar::kMaxStateBytes, 1))), 0);
  CHECK_EQ(writer->state(bytesOf(Buffer(1))), SidecarWriter::kNoState);
  CHECK_EQ(writer->state(bytesOf(Buffer(sidecar::kMaxStateBytes, 1))), 0);
  CHECK_EQ(writer->state({}), 1);
}

TEST("a file that can't be created or written") {
  const SidecarFolder folder;
  int error = 0;
  CHECK(SidecarWriter::create(folder / "no/index", 1, &error) == nullptr);
  CHECK_EQ(error, ENOENT);
  if (!std::filesystem::exists("/dev/full")) return;
  CHECK(SidecarWriter::create("/dev/full", 1, &error) == nullptr);
  CHECK_EQ(error, ENOSPC);
}

TEST("a page that could not be written is written later, at the same place") {
  Random random(1);
  const Segment segment = randomSegment(random, 40, 10, 300);
  const SidecarFolder folder;
  const std::string path = folder / "index";
  int error = 0;
  const auto writer = SidecarWriter::create(path, segment.id, &error);
  addBlocks(segment, 0, 10, writer.get(), kNever);
  CHECK_EQ(writer->flush(), 0);

  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  // Room for a part of the next page.
  rlimit less = limit;
  less.rlim_cur = writer->bytes() + 100;
  ::setrlimit(RLIMIT_FSIZE, &less);
  addBlocks(segment, 10, 25, writer.get(), kNever);
  const int failed = writer->flush();
  const int failed_seal = writer->seal();
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, before);
  CHECK_EQ(failed, -EFBIG);
  CHECK_EQ(failed_seal, -EFBIG);
  checkHolds(contentsOf(path), segment, 10);

  addBlocks(segment, 25, 40, writer.get(), kNever);
  CHECK_EQ(writer->sync(), 0);
  CHECK(!open(contentsOf(path))->torn());
  checkHolds(contentsOf(path), segment, 40);
  CHECK_EQ(writer->seal(), 0);
  checkHolds(contentsOf(path), segment, 40);
  CHECK(open(contentsOf(path))->sealed());
}

TEST("sealing that fails leaves the open form as it was") {
  Random random(2);
  const Segment segment = randomSegment(random, 10, 10, 300);
  const SidecarFolder folder;
  const std::string path = folder / "index";
  int error = 0;
  const auto writer = SidecarWriter::create(path, segment.id, &error);
  addBlocks(segment, 0, 10, writer.get(), kNever);
  std::filesystem::create_directory(path + ".part");
  CHECK_EQ(writer->seal(), -EISDIR);
  checkHolds(contentsOf(path), segment, 10);
  std::filesystem::remove(path + ".part");
  CHECK_EQ(writer->seal(), 0);
  CHECK(!std::filesystem::exists(path + ".part"));
  checkHolds(contentsOf(path), segment, 10);
}

TEST("going on behind any block of an open sidecar") {
  Random random(3);
  for (const size_t page_every : {1, 3, 100}) {
    const Segment segment = randomSegment(random, 12, 12, 300);
    const Sidecars files = sidecarsOf(segment, page_every);
    for (size_t keep = 0; keep <= 12; ++keep) {
      CONTEXT("pages of " << page_every << ", " << keep << " blocks kept");
      const SidecarFolder folder;
      const std::string path = folder / "index";
      // A torn tail is no hindrance.
      writeContents(path, files.open + random.bytes(keep));
      std::string why;
      const auto writer = SidecarWriter::resume(path, segment.id, keep, &why);
      CHECK_EQ(why, "");
      if (!writer) continue;
      CHECK_EQ(writer->blocks(), keep);
      CHECK_EQ(writer->flush(), 0);
      checkHolds(contentsOf(path), segment, keep);
      addBlocks(segment, keep, 12, writer.get(), kNever);
      CHECK_EQ(writer->flush(), 0);
      checkHolds(contentsOf(path), segment, 12);
      CHECK_EQ(writer->seal(), 0);
      checkHolds(contentsOf(path), segment, 12);
      // Nothing but blocks kept whole pages in, so all is as if nothing had happened.
      if (keep % page_every == 0) CHECK(contentsOf(path) == files.sealed);
    }
  }
}

TEST("going on across the end of a group") {
  Random random(4);
  const size_t blocks = sidecar::kGroupBlocks + 10;
  const Segment segment = randomSegment(random, blocks, 2, 1000);
  const Sidecars files = sidecarsOf(segment, 7);
  for (const size_t keep : {size_t{sidecar::kGroupBlocks} - 3, size_t{sidecar::kGroupBlocks}, blocks - 1}) {
    const SidecarFolder folder;
    const std::string path = folder / "index";
    writeContents(path, files.open);
    std::string why;
    const auto writer = SidecarWriter::resume(path, segment.id, keep, &why);
    CHECK_EQ(why, "");
    if (!writer) continue;
    addBlocks(segment, keep, blocks, writer.get(), kNever);
    CHECK_EQ(writer->seal(), 0);
    checkHolds(contentsOf(path), segment, blocks);
  }
}

TEST("what can't be gone on with says why") {
  Random random(6);
  const Segment segment = randomSegment(random, 3, 3, 10);
  const Sidecars files = sidecarsOf(segment, 1);
  const SidecarFolder folder;
  const auto why = [&](const Buffer& bytes, uint64_t id, uint64_t blocks) {
    const std::string path = folder / "index";
    writeContents(path, bytes);
    std::string text;
    CHECK(SidecarWriter::resume(path, id, blocks, &text) == nullptr);
    CHECK(contentsOf(path) == bytes);
    return text;
  };
  CHECK_EQ(why(files.sealed, segment.id, 3), "it is sealed");
  CHECK_EQ(why(files.open, segment.id + 1, 3), "it belongs to another segment");
  CHECK_EQ(why(files.open, segment.id, 4), "it has only 3 whole blocks");
  CHECK_EQ(why({}, segment.id, 0), "it is too short");
  CHECK_EQ(why(Buffer(100, 3), segment.id, 0), "it is no index");
  std::string text;
  CHECK(SidecarWriter::resume(folder / "none", 1, 0, &text) == nullptr);
  CHECK_EQ(text, "it cannot be read: No such file or directory");
}

TEST("a sealed sidecar is read from a file") {
  Random random(7);
  const Segment segment = randomSegment(random, 50, 10, 300);
  const Sidecars files = sidecarsOf(segment, 9);
  const SidecarFolder folder;
  for (const Buffer& bytes : {files.open, files.sealed}) {
    const std::string path = folder / "index";
    writeContents(path, bytes);
    SidecarFile file;
    CHECK_EQ(SidecarFile::openExisting(path, &file), 0);
    std::string why;
    const auto reader = SidecarReader::open(file.fd(), &why);
    CHECK_EQ(why, "");
    std::vector<BlockEntry> entries;
    CHECK(reader->entries(&entries, &why));
    CHECK(entries == wantedEntries(segment));
  }
  // One that becomes shorter while it is open: no answer, and no crash.
  SidecarFile file;
  CHECK_EQ(SidecarFile::openExisting(folder / "index", &file), 0);
  std::string why;
  const auto reader = SidecarReader::open(file.fd(), &why);
  CHECK_EQ(file.truncate(100), 0);
  std::vector<BlockEntry> entries;
  CHECK(!reader->entries(&entries, &why));
  CHECK(!why.empty());
}

}  // namespace
}  // namespace spillway::test
