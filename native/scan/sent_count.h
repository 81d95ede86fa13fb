// Counts packets in what was written, by the lengths that stand there: not by what the writer says of it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "format/pcapng_format.h"
#include "scan/selection.h"

namespace spillway {

class SentCount {
 public:
  // A buffer begins, with a whole record.
  void begin(Format format) {
    format_ = format;
    at_ = 0;
    packets_ = 0;
  }

  // The buffer has `size` bytes now, of which the last record may be a part.
  void advance(const uint8_t* buffer, size_t size) {
    if (isPcap(format_)) {
      for (; at_ < size && size - at_ >= kPcapRecordHeader; ++packets_)
        at_ += kPcapRecordHeader + Order{}.u32(buffer + at_ + 8);
    } else if (isPcapng(format_)) {
      while (at_ < size && size - at_ >= 8) {
        const uint32_t type = Order{}.u32(buffer + at_);
        const uint32_t length = Order{}.u32(buffer + at_ + 4);
        packets_ += type == pcapng::kEnhancedPacket || type == pcapng::kSimplePacket || type == pcapng::kObsoletePacket;
        at_ += length < pcapng::kBlockOverhead ? pcapng::kBlockOverhead : length;
      }
    }
  }

  // Of a whole buffer; kTorn where it does not end with a record.
  uint64_t packets(size_t size) const { return !isFile(format_) || at_ == size ? packets_ : kTorn; }

  static constexpr uint64_t kTorn = uint64_t{1} << 62;

 private:
  static constexpr size_t kPcapRecordHeader = 16;
  static bool isPcap(Format format) { return format == Format::pcap_us || format == Format::pcap_ns; }
  static bool isPcapng(Format format) { return format == Format::pcapng_us || format == Format::pcapng_ns; }
  static bool isFile(Format format) { return isPcap(format) || isPcapng(format); }

  Format format_ = Format::none;
  size_t at_ = 0;  // where the next record begins
  uint64_t packets_ = 0;
};

}  // namespace spillway
