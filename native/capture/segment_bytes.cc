#include "capture/segment_bytes.h"

#include <cstring>

#include "base/bytes.h"
#include "format/pcapng_writer.h"

namespace spillway::capture {
namespace {

using pcapng::putOption;

// Options of a section header, of an interface description and of interface statistics (sections 4.1, 4.2 and 4.6).
constexpr uint16_t kSectionSystem = 3;
constexpr uint16_t kSectionApplication = 4;
constexpr uint16_t kInterfaceMac = 6;
constexpr uint16_t kStatisticsStart = 2;
constexpr uint16_t kStatisticsEnd = 3;
constexpr uint16_t kReceived = 4;
constexpr uint16_t kDropped = 5;
constexpr uint16_t kAccepted = 6;
constexpr uint16_t kSystemDropped = 7;
constexpr uint16_t kDelivered = 8;

void appendOption(std::vector<uint8_t>* to, uint16_t code, std::string_view text) {
  const size_t at = to->size();
  to->resize(at + 4 + pad4(static_cast<uint32_t>(text.size())));
  putOption(to->data() + at, code, reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint16_t>(text.size()));
}

// A timestamp of the format: the high half first, whatever the byte order.
void storeTime(uint8_t* to, Nanos time) {
  const auto ticks = static_cast<uint64_t>(time < 0 ? 0 : time);
  store32(to, static_cast<uint32_t>(ticks >> 32));
  store32(to + 4, static_cast<uint32_t>(ticks));
}

}  // namespace

std::vector<uint8_t> segmentHeader(const InterfaceFacts& facts, std::string_view application) {
  std::vector<uint8_t> options;
  appendOption(&options, kSectionSystem, "Linux");
  appendOption(&options, kSectionApplication, application);
  std::vector<uint8_t> header;
  pcapng::putSection(&header, {options.data(), options.size()});

  options.clear();
  appendOption(&options, pcapng::kIfName, facts.name);
  if (facts.has_mac)
    appendOption(&options, kInterfaceMac, {reinterpret_cast<const char*>(facts.mac.data()), facts.mac.size()});
  Interface interface;
  interface.link_type = facts.link_type;
  interface.snap_length = facts.snap_length;
  const size_t at = header.size();
  header.resize(at + pcapng::interfaceBytesBound(options.size()));
  const Bytes given{options.data(), options.size()};
  header.resize(at + pcapng::putInterface(header.data() + at, interface, true, given, Order{}));
  return header;
}

void putStatistics(uint8_t* to, const SegmentCounts& counts) {
  store32(to, pcapng::kInterfaceStatistics);
  store32(to + 4, kStatisticsBytes);
  store32(to + 8, 0);
  storeTime(to + 12, counts.end);
  size_t at = 20;
  uint8_t value[8];
  const auto time = [&](uint16_t code, Nanos nanos) {
    storeTime(value, nanos);
    at += putOption(to + at, code, value, 8);
  };
  const auto number = [&](uint16_t code, uint64_t n) {
    store64(value, n);
    at += putOption(to + at, code, value, 8);
  };
  time(kStatisticsStart, counts.start);
  time(kStatisticsEnd, counts.end);
  number(kReceived, counts.received);
  number(kDropped, counts.dropped);
  number(kAccepted, counts.accepted);
  number(kSystemDropped, counts.os_dropped);
  number(kDelivered, counts.delivered);
  store32(to + at, 0);
  store32(to + at + 4, kStatisticsBytes);
  static_assert(kStatisticsBytes == 20 + 7 * 12 + 8);
}

size_t capturedBytesBound(const CapturedPacket& packet) { return kEnhancedData + pad4(packet.wholeCaplen()) + 4; }

uint32_t putCapturedBytes(uint8_t* to, const CapturedPacket& packet) {
  uint8_t* data = to + kEnhancedData;
  if (!packet.putsTag()) {
    if (packet.caplen != 0) std::memcpy(data, packet.data, packet.caplen);
    return packet.caplen;
  }
  std::memcpy(data, packet.data, kTagOffset);
  store16(data + kTagOffset, swap16(packet.tag_protocol));
  store16(data + kTagOffset + 2, swap16(packet.tag_control));
  std::memcpy(data + kTagOffset + kTagBytes, packet.data + kTagOffset, packet.caplen - kTagOffset);
  return packet.caplen + kTagBytes;
}

size_t frameCaptured(uint8_t* to, uint32_t keep, uint32_t wirelen, Nanos time) {
  const uint32_t padded = pad4(keep);
  const auto size = static_cast<uint32_t>(kEnhancedData + padded + 4);
  store32(to, pcapng::kEnhancedPacket);
  store32(to + 4, size);
  store32(to + 8, 0);
  storeTime(to + 12, time);
  store32(to + 20, keep);
  store32(to + 24, wirelen);
  std::memset(to + kEnhancedData + keep, 0, padded - keep);
  store32(to + kEnhancedData + padded, size);
  return size;
}

}  // namespace spillway::capture
