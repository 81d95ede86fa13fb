#include "capture/segment_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "format/pcapng_statistics.h"
#include "format/pcapng_writer.h"

namespace spillway::capture {
namespace {

using pcapng::putOption;

// Options of a section header and of an interface description (sections 4.1 and 4.2).
constexpr uint16_t kSectionSystem = 3;
constexpr uint16_t kSectionApplication = 4;
constexpr uint16_t kInterfaceMac = 6;

void appendOption(std::vector<uint8_t>* to, uint16_t code, std::string_view text) {
  const size_t at = to->size();
  to->resize(at + 4 + pad4(static_cast<uint32_t>(text.size())));
  putOption(to->data() + at, code, reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint16_t>(text.size()));
}

uint64_t ticksOf(Nanos time) { return static_cast<uint64_t>(time < 0 ? 0 : time); }

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
  static_assert(kStatisticsBytes == pcapng::statisticsBytes(7, 0));
  pcapng::Statistics statistics;
  statistics.time = ticksOf(counts.end);
  statistics.start = ticksOf(counts.start);
  statistics.end = statistics.time;
  statistics.received = counts.received;
  statistics.dropped = counts.dropped;
  statistics.accepted = counts.accepted;
  statistics.os_dropped = counts.os_dropped;
  statistics.delivered = counts.delivered;
  pcapng::putStatistics(to, statistics);
}

void putFiller(uint8_t* to, size_t bytes, Nanos time) {
  constexpr std::string_view kText = "damaged packets stood here";
  constexpr size_t kHeader = 4;
  constexpr size_t kMaxComment = 65532;  // that is a multiple of four
  store32(to, pcapng::kInterfaceStatistics);
  store32(to + 4, static_cast<uint32_t>(bytes));
  store32(to + 8, 0);
  pcapng::storeTicks(to + 12, ticksOf(time));
  uint8_t* at = to + 20;
  // Comments of blanks, without an end of options.
  for (size_t left = bytes - kMinFillerBytes; left != 0;) {
    const size_t length = std::min(left - kHeader, kMaxComment);
    store16(at, pcapng::kComment);
    store16(at + 2, static_cast<uint16_t>(length));
    std::memset(at + kHeader, ' ', length);
    std::memcpy(at + kHeader, kText.data(), std::min(length, kText.size()));
    at += kHeader + length;
    left -= kHeader + length;
  }
  store32(at, static_cast<uint32_t>(bytes));
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
  const size_t size = kEnhancedData + padded + 4;
  store32(to + 8, 0);
  pcapng::storeTicks(to + 12, ticksOf(time));
  store32(to + 20, keep);
  store32(to + 24, wirelen);
  std::memset(to + kEnhancedData + keep, 0, padded - keep);
  pcapng::frame(to, pcapng::kEnhancedPacket, size);
  return size;
}

}  // namespace spillway::capture
