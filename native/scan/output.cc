#include "scan/output.h"

#include "format/pcap_writer.h"
#include "format/pcapng_writer.h"

namespace spillway {
namespace {

// The fixed form for oracles: number u64, seconds i64, nanoseconds u64 (as the file gives them, even over a second),
// caplen u32, wirelen u32, link type u32, interface u32, flags u32 (1: has no time), 0 u32, then the bytes.
constexpr size_t kRecordsHeader = 48;

void putRecords(uint8_t* to, const Packet& packet, uint32_t keep, const Interface& interface, uint32_t id,
                uint64_t number) {
  const SplitTime time = splitNanos(packet.time);
  store64(to, number);
  store64(to + 8, packet.odd_time ? packet.odd_seconds : static_cast<uint64_t>(time.seconds));
  store64(to + 16, packet.odd_time ? packet.odd_nanos : time.nanos);
  store32(to + 24, keep);
  store32(to + 28, packet.wirelen);
  store32(to + 32, interface.link_type);
  store32(to + 36, id);
  store32(to + 40, packet.has_time ? 0 : 1);
  store32(to + 44, 0);
  if (keep != 0) std::memcpy(to + kRecordsHeader, packet.data, keep);
}

}  // namespace

Output::Put Output::shaped(const Packet& packet, uint32_t keep, const Interface& interface, uint32_t id,
                           uint64_t number, Order order) {
  switch (format_) {
    case Format::pcap_us:
    case Format::pcap_ns: {
      uint32_t seconds = 0, fraction = 0;
      if (!pcap::timeFields(packet, format_ == Format::pcap_ns, &seconds, &fraction)) return Put::time_range;
      const size_t size = pcap::recordBytes(keep);
      if (!fits(size)) return full(size);
      pcap::putRecord(buffer_ + size_, seconds, fraction, packet, keep);
      size_ += size;
      return Put::done;
    }
    case Format::pcapng_us:
    case Format::pcapng_ns: {
      uint64_t ticks = 0;
      if (!pcapng::ticksOf(packet, interface, format_ == Format::pcapng_ns, &ticks)) return Put::time_range;
      const size_t bound = pcapng::packetBytesBound(packet, keep);
      if (!fits(bound)) return full(bound);
      size_ += pcapng::putPacket(buffer_ + size_, packet, keep, id, ticks, order);
      return Put::done;
    }
    case Format::records: {
      const size_t size = kRecordsHeader + keep;
      if (!fits(size)) return full(size);
      putRecords(buffer_ + size_, packet, keep, interface, id, number);
      size_ += size;
      return Put::done;
    }
    case Format::none:
      return Put::done;
  }
  return Put::done;
}

Output::Put Output::interface(const Interface& interface, Bytes options, Order order) {
  if (format_ != Format::pcapng_us && format_ != Format::pcapng_ns) return Put::done;
  const size_t bound = pcapng::interfaceBytesBound(options.size, comment_.size);
  if (!fits(bound)) return full(bound);
  size_ += pcapng::putInterface(buffer_ + size_, interface, format_ == Format::pcapng_ns, options, order, comment_);
  return Put::done;
}

}  // namespace spillway
