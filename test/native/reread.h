// Reads an output again and compares its packets with those that were to be written.
#pragma once
#include <algorithm>

#include "drive.h"
#include "format/pcap_writer.h"
#include "format/pcapng_writer.h"

namespace spillway::test {

inline bool isPcap(Format format) { return format == Format::pcap_us || format == Format::pcap_ns; }
inline bool isPcapng(Format format) { return format == Format::pcapng_us || format == Format::pcapng_ns; }
inline bool isNanos(Format format) { return format == Format::pcap_ns || format == Format::pcapng_ns; }

// What an output file begins with. The snap length allows every packet; `earlier` interfaces stand before those of the
// output.
inline Buffer fileHeader(Format format, int64_t link_type, uint32_t earlier = 0) {
  Buffer header;
  if (isPcap(format)) {
    header.resize(pcap::kFileHeaderBytes);
    pcap::putFileHeader(header.data(), isNanos(format), limits::kMaxBlockBytes,
                        static_cast<uint32_t>(std::max<int64_t>(link_type, 0)));
  }
  if (isPcapng(format)) {
    pcapng::putSection(&header, {});
    for (uint32_t i = 0; i < earlier; ++i) {
      const size_t at = header.size();
      header.resize(at + pcapng::interfaceBytesBound(0));
      header.resize(at + pcapng::putInterface(header.data() + at, {}, true, {}, {}));
    }
  }
  return header;
}

// Nanoseconds since the epoch; an odd fraction is carried.
inline Int128 timeOf(const Record& record) {
  return static_cast<Int128>(record.seconds) * kNanosPerSecond + record.nanos;
}

// The same cut to microseconds, towards minus infinity.
inline Int128 cutToMicros(Int128 time) { return time - ((time % 1000) + 1000) % 1000; }

// True when `got` is `want` as `format` can hold it: all but the number, the interface of PCAP, and the time's
// resolution.
inline bool samePacket(const Record& want, const Record& got, Format format) {
  if (got.caplen != want.caplen || got.wirelen != want.wirelen || got.data != want.data) return false;
  // The PCAP header has 16 bits for it.
  if (got.link_type != (isPcap(format) ? want.link_type & 0xffff : want.link_type)) return false;
  if (isPcapng(format) && got.interface != want.interface) return false;
  if (!want.has_time) return got.has_time && (isPcapng(format) || timeOf(got) == 0);
  const Int128 time = timeOf(want);
  if (timeOf(got) == time || (!isNanos(format) && timeOf(got) == cutToMicros(time))) return true;
  // A clamped time may have been written in another clock, which reaches less far.
  return time == kNanosMax || time == kNanosMin;
}

// Reads `out` (without its file header) as `format`.
inline std::vector<Record> reread(const Buffer& out, Format format, int64_t link_type, uint32_t earlier = 0) {
  const Outcome back = scanStream(fileHeader(format, link_type, earlier) + out, SIZE_MAX, selectAll(Format::records));
  ENSURE(back.status == Status::done);
  return parseRecords(back.out);
}

}  // namespace spillway::test
