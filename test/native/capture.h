// Builds pcap and PCAPNG files in either byte order, well-formed and not: every field can be said.
#pragma once
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "format/pcap_format.h"
#include "format/pcapng_format.h"

namespace spillway::test {

// Appends numbers in one byte order.
class Put {
 public:
  explicit Put(bool big) : big_(big) {}
  Put& u8(uint8_t v) { return number(v, 1); }
  Put& u16(uint16_t v) { return number(v, 2); }
  Put& u32(uint32_t v) { return number(v, 4); }
  Put& u64(uint64_t v) { return number(v, 8); }
  Put& raw(const Buffer& bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return *this;
  }
  // Fills up to a multiple of four.
  Put& pad(uint8_t with = 0) {
    while (out.size() % 4 != 0) out.push_back(with);
    return *this;
  }
  Buffer out;

 private:
  Put& number(uint64_t v, int size) {
    for (int i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(v >> (8 * (big_ ? size - 1 - i : i))));
    return *this;
  }
  bool big_;
};

// Packet bytes that tell where they come from.
inline Buffer payload(size_t size, uint8_t seed = 0) {
  Buffer to(size);
  for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(0x40 + (seed * 31 + i * 7) % 64);
  return to;
}

// A pcap file.
struct Pcap {
  bool big = false;
  uint32_t magic = pcap::kMagicMicros;
  uint16_t major = 2;
  uint16_t minor = 4;
  uint32_t snap = 262144;
  uint32_t link = 1;

  Buffer header() const { return Put(big).u32(magic).u16(major).u16(minor).u32(0).u32(0).u32(snap).u32(link).out; }
  // A record header with these very fields, and the bytes.
  Buffer record(uint32_t seconds, uint32_t fraction, uint32_t first_length, uint32_t second_length,
                const Buffer& data) const {
    Put put(big);
    put.u32(seconds).u32(fraction).u32(first_length).u32(second_length);
    if (magic == pcap::kMagicModified) put.u32(7).u16(8).u8(4).u8(0);
    return put.raw(data).out;
  }
  Buffer record(uint32_t seconds, uint32_t fraction, const Buffer& data) const {
    const auto size = static_cast<uint32_t>(data.size());
    return record(seconds, fraction, size, size, data);
  }
};

// The blocks of a PCAPNG file.
struct Pcapng {
  bool big = false;

  Buffer block(uint32_t type, const Buffer& body) const {
    const auto size = static_cast<uint32_t>(12 + body.size());
    return Put(big).u32(type).u32(size).raw(body).u32(size).out;
  }
  Buffer option(uint16_t code, const Buffer& value) const {
    return Put(big).u16(code).u16(static_cast<uint16_t>(value.size())).raw(value).pad().out;
  }
  Buffer end() const { return Put(big).u32(0).out; }
  Buffer section(const Buffer& options = {}, uint16_t major = 1, uint16_t minor = 0,
                 uint64_t length = UINT64_MAX) const {
    return block(pcapng::kSectionHeader,
                 Put(big).u32(pcapng::kByteOrderMagic).u16(major).u16(minor).u64(length).raw(options).out);
  }
  Buffer interface(uint16_t link, uint32_t snap = 0, const Buffer& options = {}) const {
    return block(pcapng::kInterfaceDescription, Put(big).u16(link).u16(0).u32(snap).raw(options).out);
  }
  // if_tsresol and if_tsoffset.
  Buffer clock(uint8_t resolution, int64_t offset_seconds = 0) const {
    Buffer options = option(pcapng::kIfResolution, {resolution});
    if (offset_seconds != 0)
      options = options + option(pcapng::kIfOffset, Put(big).u64(static_cast<uint64_t>(offset_seconds)).out);
    return options + end();
  }
  Buffer enhanced(uint32_t interface, uint64_t ticks, const Buffer& data, const Buffer& options = {}) const {
    const auto size = static_cast<uint32_t>(data.size());
    return enhanced(interface, ticks, size, size, data, options);
  }
  Buffer enhanced(uint32_t interface, uint64_t ticks, uint32_t caplen, uint32_t wirelen, const Buffer& data,
                  const Buffer& options = {}, uint8_t padding = 0) const {
    Put put(big);
    put.u32(interface)
        .u32(static_cast<uint32_t>(ticks >> 32))
        .u32(static_cast<uint32_t>(ticks))
        .u32(caplen)
        .u32(wirelen);
    return block(pcapng::kEnhancedPacket, put.raw(data).pad(padding).raw(options).out);
  }
  Buffer simple(uint32_t wirelen, const Buffer& data) const {
    return block(pcapng::kSimplePacket, Put(big).u32(wirelen).raw(data).pad().out);
  }
  Buffer obsolete(uint16_t interface, uint16_t drops, uint64_t ticks, uint32_t caplen, uint32_t wirelen,
                  const Buffer& data, const Buffer& options = {}) const {
    Put put(big);
    put.u16(interface).u16(drops).u32(static_cast<uint32_t>(ticks >> 32)).u32(static_cast<uint32_t>(ticks));
    return block(pcapng::kObsoletePacket, put.u32(caplen).u32(wirelen).raw(data).pad().raw(options).out);
  }
};

}  // namespace spillway::test
