// The marks: one of two slots is always whole.
#include "capture/marks.h"

#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

namespace {

Marks some(uint64_t n) {
  Marks marks;
  marks.segment_id = n;
  marks.visible_bytes = 1000 + n;
  marks.durable_bytes = 500 + n;
  marks.packets = 3 * n;
  marks.smallest_time = -static_cast<Nanos>(n);
  marks.largest_time = static_cast<Nanos>(n) << 40;
  marks.packets_stored = n * n;
  marks.lost_ring = n + 1;
  marks.lost_queue = n + 2;
  marks.lost_disk = n + 3;
  marks.committed_at = 77;
  marks.boot_id[3] = 9;
  marks.state = CaptureState::disk_full;
  return marks;
}

}  // namespace

TEST("what is published is read") {
  const TemporaryFolder folder;
  CHECK(!readMarks(folder.path()));
  MarksPage page;
  CHECK_EQ(page.open(folder.path()), 0);
  CHECK(!readMarks(folder.path()));
  for (uint64_t n = 1; n < 6; ++n) {
    page.publish(some(n));
    const auto marks = readMarks(folder.path());
    CHECK(marks.has_value());
    CHECK_EQ(marks->segment_id, n);
    CHECK_EQ(marks->visible_bytes, 1000 + n);
    CHECK_EQ(marks->durable_bytes, 500 + n);
    CHECK_EQ(marks->packets, 3 * n);
    CHECK_EQ(marks->smallest_time, -static_cast<Nanos>(n));
    CHECK_EQ(marks->largest_time, static_cast<Nanos>(n) << 40);
    CHECK_EQ(marks->packets_stored, n * n);
    CHECK_EQ(marks->lost_ring + marks->lost_queue + marks->lost_disk, 3 * n + 6);
    CHECK_EQ(marks->committed_at, 77);
    CHECK(marks->boot_id == some(n).boot_id);
    CHECK(marks->state == CaptureState::disk_full);
  }
}

TEST("another page goes on where the one before ended") {
  const TemporaryFolder folder;
  for (uint64_t n = 1; n < 5; ++n) {
    MarksPage page;
    CHECK_EQ(page.open(folder.path()), 0);
    page.publish(some(n));
    CHECK_EQ(readMarks(folder.path())->segment_id, n);
  }
}

TEST("a slot that is not whole leaves the one before") {
  const TemporaryFolder folder;
  {
    MarksPage page;
    CHECK_EQ(page.open(folder.path()), 0);
    page.publish(some(1));
    page.publish(some(2));
  }
  const Buffer page = folder.read("marks");
  CHECK_EQ(page.size(), kMarksBytes);
  // Sequence 1 lies in slot 1, sequence 2 in slot 0.
  for (size_t at = 64; at < 64 + 2 * 128; ++at) {
    CONTEXT("byte " << at);
    Buffer damaged = page;
    damaged[at] ^= 0x10;
    const auto marks = decodeMarks(bytesOf(damaged));
    CHECK(marks.has_value());
    CHECK_EQ(marks->segment_id, at < 192 ? 1u : 2u);
  }
  Buffer both = page;
  both[70] ^= 1;
  both[200] ^= 1;
  CHECK(!decodeMarks(bytesOf(both)));
}

TEST("pages that are none") {
  const TemporaryFolder folder;
  {
    MarksPage page;
    CHECK_EQ(page.open(folder.path()), 0);
    page.publish(some(1));
  }
  const Buffer page = folder.read("marks");
  for (size_t size = 0; size < 320; ++size) {
    const Exact cut(page.data(), size);
    CHECK(!decodeMarks(cut.bytes()));
  }
  for (size_t at = 0; at < 16; ++at) {
    Buffer other = page;
    other[at] ^= 1;
    CHECK(!decodeMarks(bytesOf(other)));
  }
  CHECK(bootId() == bootId());
}

}  // namespace spillway::test
