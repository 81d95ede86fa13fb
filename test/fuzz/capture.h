// What the fuzz targets of both readers do with their bytes: one capture, read as one range, as a range in small steps
// and as a stream in chunks. All must say and write the same, and what was written must read again with as many packets.
#pragma once
#include "../native/drive.h"
#include "format/pcapng_writer.h"

namespace spillway::test {

inline bool isSame(const Outcome& a, const Outcome& b) {
  return a.status == b.status && a.out == b.out && a.damage == b.damage && a.state == b.state &&
         a.counts.packets_read == b.counts.packets_read && a.counts.packets_out == b.counts.packets_out &&
         a.counts.wire_bytes_read == b.counts.wire_bytes_read && a.counts.min_time == b.counts.min_time &&
         a.counts.max_time == b.counts.max_time;
}

// The last four bytes choose format, cut, chunk and capacity; the others are the capture.
inline int fuzzCapture(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const uint8_t* choice = data + size - 4;
  const auto format = static_cast<Format>(choice[0] % 6);
  const uint32_t snap_length = choice[1] < 128 ? 0 : choice[1] - 127u;
  const Bytes capture{data, size - 4};

  const MemoryFile file(Buffer(capture.data, capture.data + capture.size));
  const auto selection = selectAll(format, snap_length);
  const Outcome whole = scanFile(file, selection);
  Drive small;
  small.budget = 1u + choice[2];
  small.capacity = 64u + 16u * choice[3];
  const Outcome stepped = scanFile(file, selection, small);
  const Outcome streamed = scanStream(capture, 1u + choice[2], selection, small);
  // A fault of the output (time, link types) may come before the step that would have filled it; the text is the same.
  ENSURE(isSame(whole, stepped));
  ENSURE(isSame(whole, streamed));

  const bool is_pcapng = format == Format::pcapng_us || format == Format::pcapng_ns;
  if (is_pcapng && whole.counts.captured_bytes_out < (8u << 20)) {
    // A section header in front makes the output a file.
    Buffer again;
    pcapng::putSection(&again, {});
    again.insert(again.end(), whole.out.begin(), whole.out.end());
    const Outcome reread = scanStream(again, again.size() + 1, selectAll(Format::none));
    ENSURE(reread.status == Status::done);
    ENSURE(reread.counts.packets_read == whole.counts.packets_out);
    ENSURE(reread.counts.captured_bytes_read == whole.counts.captured_bytes_out);
  }
  return 0;
}

}  // namespace spillway::test
