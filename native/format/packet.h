// What every reader yields and every writer takes.
#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace spillway {

enum class Container : uint8_t { unknown = 0, pcap = 1, pcapng = 2 };
enum class Format : uint8_t { pcap_us, pcap_ns, pcapng_us, pcapng_ns, records, none };

// Ticks of a clock: 10^-exponent or 2^-exponent seconds each (PCAPNG option if_tsresol).
struct Resolution {
  bool binary = false;
  uint8_t exponent = 6;
  bool operator==(const Resolution&) const = default;
};

// What is needed to understand the packets of one interface. A pcap file is one interface.
struct Interface {
  uint32_t link_type = 1;
  uint32_t snap_length = 0;  // bytes; 0: not limited
  Resolution resolution;
  int64_t offset_seconds = 0;  // PCAPNG option if_tsoffset
};

// One packet, pointing into bytes that the reader's caller owns: valid until those move.
struct Packet {
  const uint8_t* data = nullptr;
  uint32_t caplen = 0;     // bytes at `data`
  uint32_t wirelen = 0;    // length on the wire, as the file says it
  Nanos time = 0;          // 0 without a time
  uint32_t interface = 0;  // index into the reader's interfaces
  uint32_t dropped = 0;    // packets lost between this one and the one before, where the file tells
  bool has_time = true;
  bool time_clamped = false;
  // The file's fraction of a second is a second or more: `time` has the carry, these are as the file gave them, so that
  // the same format gets the same bytes back.
  bool odd_time = false;
  uint32_t odd_seconds = 0;
  uint64_t odd_nanos = 0;
  bool block_drops = false;  // `dropped` comes from the block itself, not from an option
  // The record's own bytes are what this format's writer would write for the uncut packet.
  Format verbatim = Format::none;
  Bytes record;   // the whole record or block
  Bytes options;  // PCAPNG options, in the file's byte order, unchecked
};

// What a reader found at a position.
enum class Next : uint8_t {
  packet,
  need_more,  // the record goes on beyond the bytes given
  section,    // a section header was read: the interfaces start anew
  interface,  // an interface was described: it is the last of the table
  skipped,    // a block that holds neither packet nor interface
  damage,     // `damage` says what is wrong
};

}  // namespace spillway
