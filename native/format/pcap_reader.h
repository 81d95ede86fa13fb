// Reads pcap: both byte orders, microseconds and nanoseconds, the modified format, the old versions with swapped
// lengths.
#pragma once
#include <algorithm>
#include <string>

#include "base/limits.h"
#include "format/packet.h"
#include "format/pcap_format.h"

namespace spillway {

class PcapReader {
 public:
  // What the file header fixes for the whole file.
  struct Header {
    bool swapped = false;
    bool nanos = false;
    bool modified = false;
    uint16_t version_major = 0;
    uint16_t version_minor = 0;
    uint32_t snap_length = 0;
    uint32_t link_type = 0;  // the low 16 bits of the field: the others tell of frame check sequences
  };

  // True when `bytes` (at least 4) begin like a pcap file.
  static bool recognises(Bytes bytes);

  // Reads the file header at `bytes`. Returns need_more, damage, or section when `header` is filled.
  static Next readHeader(Bytes bytes, Header* header, std::string* damage);

  explicit PcapReader(const Header& header);

  const Header& header() const { return header_; }

  // Reads the record at `at`. The packet points into `at`.
  Next next(const uint8_t* at, size_t left, Packet* packet) {
    if (left < record_header_) return Next::need_more;
    const uint32_t seconds = order_.u32(at);
    const uint32_t fraction = order_.u32(at + 4);
    uint32_t caplen = order_.u32(at + 8);
    uint32_t wirelen = order_.u32(at + 12);
    if (lengths_ != Lengths::normal) [[unlikely]] {
      if (lengths_ == Lengths::swapped || caplen > wirelen) std::swap(caplen, wirelen);
    }
    if (caplen > max_caplen_) [[unlikely]] {
      bad_length_ = caplen;
      return Next::damage;
    }
    const size_t size = record_header_ + caplen;
    if (left < size) return Next::need_more;
    packet->data = at + record_header_;
    packet->caplen = caplen;
    packet->wirelen = wirelen;
    packet->time = static_cast<int64_t>(seconds) * kNanosPerSecond + static_cast<int64_t>(fraction) * tick_nanos_;
    packet->record = {at, size};
    packet->verbatim = verbatim_;
    packet->odd_time = fraction >= ticks_per_second_;
    if (packet->odd_time) [[unlikely]] {
      packet->odd_seconds = seconds;
      packet->odd_nanos = static_cast<uint64_t>(fraction) * static_cast<uint64_t>(tick_nanos_);
    }
    return Next::packet;
  }

  // Could a record begin at `at`? A guess from `left` bytes, for finding one's way in the middle of a file.
  bool plausible(const uint8_t* at, size_t left, bool at_end) const;

  std::string damageText() const;

 private:
  enum class Lengths : uint8_t { normal, swapped, maybe_swapped };

  Header header_;
  Order order_;
  size_t record_header_;
  uint32_t max_caplen_;
  uint32_t bad_length_ = 0;
  int64_t tick_nanos_;
  uint32_t ticks_per_second_;
  Lengths lengths_;
  Format verbatim_;
};

}  // namespace spillway
