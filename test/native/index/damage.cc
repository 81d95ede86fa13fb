// Sidecars that are cut, flipped, mixed up or made to deceive: refused with a reason, or used as far as they are whole.
#include <algorithm>
#include <set>

#include "base/crc32c.h"
#include "check.h"
#include "index/mend.h"
#include "index/segments.h"
#include "index/sidecar_format.h"

namespace spillway::test {
namespace {

// A sidecar written page by page, with what was whole when.
struct Written {
  Segment segment;
  std::vector<BlockEntry> entries;
  std::vector<std::pair<size_t, size_t>> pages;  // bytes of the file after a page, blocks until then
  Sidecars files;

  // Blocks of the pages that end within the first `bytes`.
  size_t blocksWithin(size_t bytes) const {
    size_t blocks = 0;
    for (const auto& [end, count] : pages) blocks = end <= bytes ? count : blocks;
    return blocks;
  }
};

Written write(Segment segment) {
  const size_t blocks = segment.blocks.size();
  Written written;
  written.segment = std::move(segment);
  written.entries = wantedEntries(written.segment);
  const SidecarFolder folder;
  const std::string path = folder / "index";
  int error = 0;
  const auto writer = SidecarWriter::create(path, written.segment.id, &error);
  for (size_t n = 0; n < blocks; ++n) {
    addBlocks(written.segment, n, n + 1, writer.get(), [](size_t) { return false; });
    if (n % 4 != 3 && n + 1 != blocks) continue;
    CHECK_EQ(writer->flush(), 0);
    written.pages.emplace_back(writer->bytes(), n + 1);
  }
  written.files.open = contentsOf(path);
  CHECK_EQ(writer->seal(), 0);
  written.files.sealed = contentsOf(path);
  return written;
}

Written write(uint64_t seed, size_t blocks, size_t most_packets) {
  Random random(seed);
  return write(randomSegment(random, blocks, most_packets, 200));
}

std::vector<IndexQuery> someQueries(const Segment& segment) {
  Random random(99);
  std::vector<IndexQuery> queries = {{}};
  while (queries.size() < 6) queries.push_back(randomQuery(random, segment));
  return queries;
}

// An open sidecar of which `blocks` blocks can be used says just these, and misses none of them.
void checkOpen(const Buffer& bytes, const Written& written, size_t blocks, bool torn,
               const std::vector<IndexQuery>& queries) {
  const Exact exact(bytes);
  std::string why;
  const auto reader = SidecarReader::open(exact.bytes(), &why);
  CHECK(reader != nullptr);
  if (!reader) return;
  CHECK_EQ(reader->torn(), torn);
  std::vector<BlockEntry> entries;
  CHECK(reader->entries(&entries, &why));
  CHECK_EQ(entries.size(), blocks);
  CHECK(std::equal(entries.begin(), entries.end(), written.entries.begin()));
  CHECK_EQ(reader->totals().end, blocks == 0 ? 0 : written.entries[blocks - 1].end());
  for (const IndexQuery& query : queries) {
    std::vector<BlockRun> runs;
    CHECK(reader->candidates(query, &runs, &why));
    const auto got = blocksOf(runs, blocks);
    const auto want = wantedBlocks(query, written.segment);
    for (size_t n = 0; n < blocks; ++n) CHECK(got[n] || !want[n]);
  }
}

void checkRefused(const Buffer& bytes) {
  const Exact exact(bytes);
  std::string why;
  CHECK(SidecarReader::open(exact.bytes(), &why) == nullptr);
  CHECK(!why.empty());
}

TEST("an open sidecar cut anywhere gives every page that is whole") {
  const Written written = write(1, 14, 6);
  const auto queries = someQueries(written.segment);
  const Buffer& all = written.files.open;
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    CONTEXT("cut at " << cut);
    const Buffer bytes(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut));
    if (cut < sidecar::kHeaderBytes) {
      checkRefused(bytes);
      continue;
    }
    const bool between = cut == sidecar::kHeaderBytes || std::any_of(written.pages.begin(), written.pages.end(),
                                                                     [&](auto& page) { return page.first == cut; });
    checkOpen(bytes, written, written.blocksWithin(cut), !between, queries);
  }
}

TEST("an open sidecar with a flipped byte gives every page before it") {
  const Written written = write(2, 14, 6);
  const auto queries = someQueries(written.segment);
  for (size_t at = 0; at < written.files.open.size(); ++at) {
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      CONTEXT("byte " << at << " ^ " << static_cast<int>(flip));
      Buffer bytes = written.files.open;
      bytes[at] ^= flip;
      if (at < sidecar::kHeaderBytes) checkRefused(bytes);
      else checkOpen(bytes, written, written.blocksWithin(at), true, queries);
    }
  }
}

TEST("a sealed sidecar cut anywhere is refused") {
  const Buffer all = write(3, 14, 6).files.sealed;
  for (size_t cut = 0; cut < all.size(); ++cut) {
    CONTEXT("cut at " << cut);
    checkRefused(Buffer(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(cut)));
  }
}

// Every answer is the right one or none; returns how many were none.
size_t checkSealed(const Buffer& bytes, const Written& written, const std::vector<IndexQuery>& queries,
                   const std::vector<std::vector<BlockRun>>& answers) {
  const Exact exact(bytes);
  std::string why;
  const auto reader = SidecarReader::open(exact.bytes(), &why);
  if (!reader) {
    CHECK(!why.empty());
    return 1 + queries.size();
  }
  size_t none = 0;
  std::vector<BlockEntry> entries;
  if (reader->entries(&entries, &why)) CHECK(entries == written.entries);
  else ++none;
  for (size_t n = 0; n < queries.size(); ++n) {
    std::vector<BlockRun> runs;
    if (reader->candidates(queries[n], &runs, &why)) CHECK(runs == answers[n]);
    else ++none;
  }
  CHECK_EQ(none == 0, why.empty());
  return none;
}

TEST("a sealed sidecar with a flipped byte gives the right answer or none") {
  const Written written = write(4, 60, 12);
  CHECK(written.files.sealed.size() > 2 * sidecar::kChunkBytes);
  const auto queries = someQueries(written.segment);
  std::string why;
  const auto reader = SidecarReader::open(bytesOf(written.files.sealed), &why);
  std::vector<std::vector<BlockRun>> answers(queries.size());
  for (size_t n = 0; n < queries.size(); ++n) CHECK(reader->candidates(queries[n], &answers[n], &why));
  CHECK_EQ(checkSealed(written.files.sealed, written, queries, answers), 0);
  size_t whole = 0;
  for (size_t at = 0; at < written.files.sealed.size(); ++at) {
    CONTEXT("byte " << at);
    Buffer bytes = written.files.sealed;
    bytes[at] ^= static_cast<uint8_t>(1 + at % 255);
    // Some flips no query comes across.
    whole += checkSealed(bytes, written, queries, answers) == 0 ? 1 : 0;
  }
  CHECK(whole < written.files.sealed.size() / 2);
}

TEST("pages of another segment, and pages out of turn, are not taken") {
  const Written written = write(5, 12, 4);
  // The same in all but its id.
  Segment twin = written.segment;
  ++twin.id;
  const Written other = write(twin);
  const auto queries = someQueries(written.segment);
  const auto page = [](const Written& of, size_t n) {
    const size_t start = n == 0 ? sidecar::kHeaderBytes : of.pages[n - 1].first;
    return Buffer(of.files.open.begin() + static_cast<std::ptrdiff_t>(start),
                  of.files.open.begin() + static_cast<std::ptrdiff_t>(of.pages[n].first));
  };
  const Buffer header(written.files.open.begin(), written.files.open.begin() + sidecar::kHeaderBytes);
  checkOpen(header + page(written, 0) + page(other, 1), written, 4, true, queries);
  checkOpen(header + page(written, 0) + page(written, 0), written, 4, true, queries);
  checkOpen(header + page(written, 0) + page(written, 2), written, 4, true, queries);
  checkOpen(header + page(written, 1), written, 0, true, queries);
  checkOpen(header + page(written, 0) + page(written, 1), written, 8, false, queries);
}

TEST("what is no index, of another version, or of an unknown form is refused") {
  checkRefused({});
  checkRefused(Buffer(500));
  const Written written = write(7, 3, 2);
  const auto with = [&](size_t at, uint8_t value) {
    Buffer bytes = written.files.open;
    bytes[at] = value;
    store32(bytes.data() + 28, crc32c(bytes.data(), 28));
    return bytes;
  };
  checkRefused(with(8, 2));
  checkRefused(with(12, 0));
  checkRefused(with(12, 3));
  checkRefused(with(12, 2));  // the open form said to be sealed
  std::string why;
  SidecarReader::open(bytesOf(with(8, 2)), &why);
  CHECK_EQ(why, "it is of version 2, and this program uses 1");
}

// Looks at everything; what it finds does not matter, only that it stays within the bytes.
size_t readAll(const Buffer& bytes, const std::vector<IndexQuery>& queries) {
  const Exact exact(bytes);
  std::string why;
  const auto reader = SidecarReader::open(exact.bytes(), &why);
  if (!reader) {
    CHECK(!why.empty());
    return 0;
  }
  std::vector<BlockEntry> entries;
  std::vector<BlockRun> runs;
  reader->entries(&entries, &why);
  for (const BlockEntry& entry : entries) reader->state(entry.state);
  for (const IndexQuery& query : queries) reader->candidates(query, &runs, &why);
  return 1;
}

TEST("sidecars with right checksums and wrong contents do no harm") {
  const Written written = write(8, 70, 8);
  const auto queries = someQueries(written.segment);
  Random random(1);
  size_t taken = 0;
  for (int n = 0; n < 6000; ++n) {
    const bool sealed = n % 2 == 0;
    Buffer bytes = sealed ? written.files.sealed : written.files.open;
    for (size_t changes = 1 + random.below(4); changes > 0; --changes) {
      // Of the sealed form mostly the trailer, which says where all else is.
      const size_t back = std::min<size_t>(bytes.size() - 32, random.below(3) == 0 ? bytes.size() : 1000);
      const size_t at = bytes.size() - 1 - random.below(back);
      if (random.below(2) == 0 && at + 4 <= bytes.size())
        store32(bytes.data() + at, static_cast<uint32_t>(random.next() >> random.below(64)));
      else bytes[at] = static_cast<uint8_t>(random.next());
    }
    if (sealed) mendSealed(bytes.data(), bytes.size());
    else mendOpen(bytes.data(), bytes.size());
    taken += readAll(bytes, queries);
  }
  // Most got past the checksums.
  CHECK(taken > 1000);
}

}  // namespace
}  // namespace spillway::test
