// What a scan has seen, and how a packet is counted.
#pragma once
#include <algorithm>
#include <cstdint>

#include "format/packet.h"
#include "format/pcapng_options.h"

namespace spillway {

// What was seen since the open; the meanings are those of ReportIndex in src/native-contract.ts.
struct Counts {
  uint64_t start = 0;
  uint64_t end = 0;
  uint64_t out_bytes = 0;
  uint64_t packets_read = 0;
  uint64_t packets_in_windows = 0;
  uint64_t packets_out = 0;
  uint64_t captured_bytes_out = 0;
  Nanos min_time = kNanosMax;
  Nanos max_time = kNanosMin;
  Nanos first_time = 0;
  Nanos last_time = 0;
  Nanos out_min_time = kNanosMax;
  Nanos out_max_time = kNanosMin;
  Nanos out_first_time = 0;
  uint32_t crc32c = 0;
  uint64_t blocks_skipped = 0;
  uint64_t times_clamped = 0;
  uint64_t packets_without_time = 0;
  int64_t link_type_out = -1;
  int64_t detail = 0;
  uint64_t detail_offset = 0;
  uint64_t packets_cut = 0;
  uint64_t captured_bytes_read = 0;
  uint64_t wire_bytes_read = 0;
  uint64_t dropped_packets = 0;
  uint64_t snap_length_out = 0;
  uint64_t interface_count = 0;
  uint64_t section_base = 0;
  uint64_t packets_sent = 0;
  uint64_t captured_bytes_cut = 0;
  uint64_t numbered = 0;
  bool any_time = false;  // first_time .. last_time are set
  bool any_out_time = false;
};

// The drop count of an enhanced packet stands in an option.
inline uint64_t droppedIn(const Packet& packet, Order order) {
  pcapng::OptionWalk walk(packet.options, order);
  for (pcapng::Option option{}; walk.next(&option);)
    if (option.code == pcapng::kPacketDropCount && option.length == 8) return order.u64(option.value);
  return packet.dropped;
}

// Counts a packet that was read. `kIsPcap`: every packet has a time, and none has options. `in`: inside the windows.
template <bool kIsPcap>
inline void countRead(Counts* c, const Packet& packet, Order order, bool in) {
  if (kIsPcap || packet.has_time) {
    c->min_time = std::min(c->min_time, packet.time);
    c->max_time = std::max(c->max_time, packet.time);
    c->last_time = packet.time;
    if (!c->any_time) {
      c->any_time = true;
      c->first_time = packet.time;
    }
  }
  if constexpr (!kIsPcap) {
    c->packets_without_time += !packet.has_time;
    c->times_clamped += packet.time_clamped;
    if (in) c->dropped_packets += packet.options.empty() ? packet.dropped : droppedIn(packet, order);
  }
  ++c->packets_read;
  c->packets_in_windows += in;
  c->captured_bytes_read += packet.caplen;
  c->wire_bytes_read += packet.wirelen;
}

// Counts a packet of which `keep` bytes were written.
inline void countWritten(Counts* c, const Packet& packet, const Interface& interface, uint32_t keep, bool timed) {
  if (c->link_type_out < 0) {
    c->link_type_out = interface.link_type;
    c->snap_length_out = interface.snap_length;
  }
  ++c->packets_out;
  c->captured_bytes_out += keep;
  c->packets_cut += keep != packet.caplen;
  c->captured_bytes_cut += packet.caplen - keep;
  if (timed) {
    c->out_min_time = std::min(c->out_min_time, packet.time);
    c->out_max_time = std::max(c->out_max_time, packet.time);
    if (!c->any_out_time) {
      c->any_out_time = true;
      c->out_first_time = packet.time;
    }
  }
}

}  // namespace spillway
