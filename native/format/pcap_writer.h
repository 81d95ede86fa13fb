// Writes pcap, little-endian, version 2.4.
#pragma once
#include "base/bytes.h"
#include "format/packet.h"
#include "format/pcap_format.h"

namespace spillway::pcap {

// Writes a file header to `to` (kFileHeaderBytes).
inline void putFileHeader(uint8_t* to, bool nanos, uint32_t snap_length, uint32_t link_type) {
  store32(to, nanos ? kMagicNanos : kMagicMicros);
  store16(to + 4, kVersionMajor);
  store16(to + 6, kVersionMinor);
  store32(to + 8, 0);   // time zone: always UTC
  store32(to + 12, 0);  // accuracy: always 0
  store32(to + 16, snap_length);
  store32(to + 20, link_type);
}

inline size_t recordBytes(uint32_t keep) { return kRecordHeaderBytes + keep; }

// The two time fields of a record. Microseconds are cut, never rounded. False where unsigned 32-bit seconds can't hold
// the time. A time that a pcap file gave with an odd fraction keeps its fields where they fit.
inline bool timeFields(const Packet& packet, bool nanos, uint32_t* seconds, uint32_t* fraction) {
  const uint64_t odd_fraction = nanos ? packet.odd_nanos : packet.odd_nanos / 1000;
  if (packet.odd_time && odd_fraction <= 0xffffffffu) {
    *seconds = packet.odd_seconds;
    *fraction = static_cast<uint32_t>(odd_fraction);
    return true;
  }
  const SplitTime time = splitNanos(packet.time);
  if (time.seconds < 0 || time.seconds > 0xffffffffll) return false;
  *seconds = static_cast<uint32_t>(time.seconds);
  *fraction = nanos ? time.nanos : time.nanos / 1000;
  return true;
}

// Writes a record of the first `keep` bytes to `to` (recordBytes(keep)), with the fields that timeFields gave.
inline void putRecord(uint8_t* to, uint32_t seconds, uint32_t fraction, const Packet& packet, uint32_t keep) {
  store32(to, seconds);
  store32(to + 4, fraction);
  store32(to + 8, keep);
  store32(to + 12, packet.wirelen);
  if (keep != 0) std::memcpy(to + kRecordHeaderBytes, packet.data, keep);
}

}  // namespace spillway::pcap
