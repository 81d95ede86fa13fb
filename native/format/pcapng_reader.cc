#include "format/pcapng_reader.h"

#include <utility>

#include "format/pcapng_options.h"

namespace spillway {

using namespace pcapng;

PcapngReader::Clock::Clock(const Interface& interface)
    : offset_nanos_(static_cast<Int128>(interface.offset_seconds) * kNanosPerSecond) {
  const uint8_t exponent = interface.resolution.exponent;
  if (interface.resolution.binary) {
    kind_ = Kind::shift;
    shift_ = exponent;
    return;
  }
  const int digits = exponent <= 9 ? 9 - exponent : exponent - 9;
  for (int i = 0; i < digits && i < 19; ++i) factor_ *= 10;
  // Ticks of 10^-29 s and less: 2^64 of them are less than a nanosecond.
  kind_ = exponent <= 9 ? Kind::multiply : digits <= 19 ? Kind::divide : Kind::zero;
}

ClampedNanos PcapngReader::Clock::nanos(uint64_t ticks) const {
  Int128 ns = 0;
  switch (kind_) {
    case Kind::multiply:
      ns = static_cast<Int128>(ticks) * static_cast<Int128>(factor_);
      break;
    case Kind::divide:
      ns = static_cast<Int128>(ticks / factor_);
      break;
    case Kind::shift:
      // 64 + 30 bits at most, so nothing is lost above; a shift by 127 is defined.
      ns = static_cast<Int128>((static_cast<Uint128>(ticks) * kNanosPerSecond) >> shift_);
      break;
    case Kind::zero:
      break;
  }
  return clampNanos(ns + offset_nanos_);
}

void PcapngReader::forgetInterface() {
  interfaces_.pop_back();
  clocks_.pop_back();
  verbatim_.pop_back();
}

void PcapngReader::restore(bool swapped, const std::vector<Interface>& interfaces) {
  order_.swapped = swapped;
  in_section_ = true;
  interfaces_.clear();
  clocks_.clear();
  verbatim_.clear();
  for (const Interface& interface : interfaces) addInterface(interface);
}

void PcapngReader::addInterface(const Interface& interface) {
  interfaces_.push_back(interface);
  clocks_.emplace_back(interface);
  Format verbatim = Format::none;
  if (!order_.swapped && interface.offset_seconds == 0) {
    if (interface.resolution == Resolution{false, 6}) verbatim = Format::pcapng_us;
    if (interface.resolution == Resolution{false, 9}) verbatim = Format::pcapng_ns;
  }
  verbatim_.push_back(verbatim);
}

Next PcapngReader::other(const uint8_t* at, size_t left, uint32_t type, Packet* packet) {
  if (type == kSectionHeader) return section(at, left, packet);
  if (!in_section_) return damage("a block stands before the first section header");
  const uint32_t size = order_.u32(at + 4);
  if (size < kBlockOverhead || (size & 3) || size > limits::kMaxBlockBytes) return badLength(type, size);
  if (left < size) return Next::need_more;
  if (order_.u32(at + size - 4) != size) return badTrailer(size, order_.u32(at + size - 4));
  packet->record = {at, size};
  switch (type) {
    case kInterfaceDescription:
      return interfaceDescription(at, size, packet);
    case kSimplePacket:
      return simplePacket(at, size, packet);
    case kObsoletePacket:
      return obsoletePacket(at, size, packet);
    default:
      return Next::skipped;
  }
}

Next PcapngReader::section(const uint8_t* at, size_t left, Packet* packet) {
  if (left < 12) return Next::need_more;
  const uint32_t magic = load32(at + 8);
  if (magic != kByteOrderMagic && magic != swap32(kByteOrderMagic))
    return damage("the byte-order magic of a section header is wrong");
  const Order order{magic != kByteOrderMagic};
  const uint32_t size = order.u32(at + 4);
  if (size < kBlockOverhead + kSectionBody || (size & 3) || size > limits::kMaxBlockBytes)
    return badLength(kSectionHeader, size);
  if (left < size) return Next::need_more;
  if (order.u32(at + size - 4) != size) return badTrailer(size, order.u32(at + size - 4));
  const uint16_t major = order.u16(at + 12);
  const uint16_t minor = order.u16(at + 14);
  // Section 4.1: 1.2 is to be read like 1.0.
  if (major != 1 || (minor != 0 && minor != 2))
    return damage("PCAPNG version " + std::to_string(major) + "." + std::to_string(minor) +
                  " is not supported (1.0 is)");
  order_ = order;
  if (!in_section_) {
    version_major_ = major;
    version_minor_ = minor;
  }
  in_section_ = true;
  interfaces_.clear();
  clocks_.clear();
  verbatim_.clear();
  packet->record = {at, size};
  packet->options = {at + 8 + kSectionBody, size - kBlockOverhead - kSectionBody};
  return Next::section;
}

Next PcapngReader::interfaceDescription(const uint8_t* at, uint32_t size, Packet* packet) {
  if (size < kBlockOverhead + kInterfaceBody) return badLength(kInterfaceDescription, size);
  if (interfaces_.size() >= limits::kMaxInterfaces)
    return damage("more than " + std::to_string(limits::kMaxInterfaces) + " interfaces are described");
  Interface interface;
  interface.link_type = order_.u16(at + 8);
  interface.snap_length = order_.u32(at + 12);
  packet->options = {at + 8 + kInterfaceBody, size - kBlockOverhead - kInterfaceBody};
  OptionWalk walk(packet->options, order_);
  for (Option option{}; walk.next(&option);) {
    // An option of the wrong length is no such option.
    if (option.code == kIfResolution && option.length == 1)
      interface.resolution = {(*option.value & 0x80) != 0, static_cast<uint8_t>(*option.value & 0x7f)};
    if (option.code == kIfOffset && option.length == 8)
      interface.offset_seconds = static_cast<int64_t>(order_.u64(option.value));
  }
  addInterface(interface);
  return Next::interface;
}

Next PcapngReader::simplePacket(const uint8_t* at, uint32_t size, Packet* packet) {
  if (size < kBlockOverhead + kSimpleBody) return badLength(kSimplePacket, size);
  if (interfaces_.empty()) return badInterface(0);
  const uint32_t room = size - kBlockOverhead - kSimpleBody;
  const uint32_t wirelen = order_.u32(at + 8);
  const uint32_t snap_length = interfaces_[0].snap_length;
  uint32_t caplen = wirelen;
  if (snap_length != 0 && caplen > snap_length) caplen = snap_length;
  if (caplen > room) return badCaplen(caplen, room);
  packet->data = at + 12;
  packet->caplen = caplen;
  packet->wirelen = wirelen;
  packet->interface = 0;
  packet->time = 0;
  packet->has_time = false;
  packet->time_clamped = false;
  packet->dropped = 0;
  packet->block_drops = false;
  packet->options = {};
  packet->verbatim = Format::none;
  return Next::packet;
}

Next PcapngReader::obsoletePacket(const uint8_t* at, uint32_t size, Packet* packet) {
  // Appendix A: like the enhanced packet, with a 16-bit interface and a 16-bit drop count (0xffff: not known).
  if (size < kBlockOverhead + kEnhancedBody) return badLength(kObsoletePacket, size);
  packet->interface = order_.u16(at + 8);
  const uint16_t drops = order_.u16(at + 10);
  packet->dropped = drops == 0xffff ? 0 : drops;
  packet->block_drops = drops != 0xffff;
  const uint64_t ticks = static_cast<uint64_t>(order_.u32(at + 12)) << 32 | order_.u32(at + 16);
  const Next result = finishPacket(at, size, kEnhancedBody, order_.u32(at + 20), order_.u32(at + 24), ticks, packet);
  packet->verbatim = Format::none;
  return result;
}

bool PcapngReader::plausible(const uint8_t* at, size_t left, bool at_end) const {
  for (int n = 0; n < limits::kResyncChain; ++n) {
    if (left == 0 && at_end) return true;
    if (left < 8) return n > 1;
    const uint32_t type = order_.u32(at);
    uint32_t size = order_.u32(at + 4);
    if (type == kSectionHeader) {
      // Its length may be in the other byte order, which its magic tells.
      if (left < 12) return n > 1;
      size = load32(at + 8) == kByteOrderMagic ? load32(at + 4) : swap32(load32(at + 4));
    } else if (n == 0 && (type == 0 || type > 0xff)) {
      // A block of a custom type may follow, but none is taken for the first: random bytes look like one.
      return false;
    }
    if (size < kBlockOverhead || (size & 3) || size > limits::kMaxBlockBytes) return false;
    if (left < size) return n > 1 && !at_end;
    if (load32(at + size - 4) != load32(at + 4)) return false;
    at += size;
    left -= size;
  }
  return true;
}

Next PcapngReader::damage(std::string text) {
  damage_ = std::move(text);
  return Next::damage;
}

Next PcapngReader::badLength(uint32_t type, uint32_t size) {
  return damage("a block of type " + std::to_string(type) + " says it is " + std::to_string(size) + " bytes long");
}

Next PcapngReader::badTrailer(uint32_t size, uint32_t trailer) {
  return damage("a block's two lengths differ: " + std::to_string(size) + " and " + std::to_string(trailer));
}

Next PcapngReader::badCaplen(uint32_t caplen, uint32_t room) {
  return damage("captured length " + std::to_string(caplen) + " is more than the " + std::to_string(room) +
                " bytes in its block");
}

Next PcapngReader::badInterface(uint32_t interface) {
  return damage("a packet names interface " + std::to_string(interface) + ", and the section has " +
                std::to_string(interfaces_.size()));
}

}  // namespace spillway
