#include "format/pcap_reader.h"

#include <cstdlib>

namespace spillway {
namespace {

bool isMagic(uint32_t magic) {
  return magic == pcap::kMagicMicros || magic == pcap::kMagicNanos || magic == pcap::kMagicModified;
}

// Version 543.0 was written by some early tools; libpcap reads it as an old 2.x.
bool isOddVersion(const PcapReader::Header& h) { return h.version_major == 543 && h.version_minor == 0; }

// Records that follow one another in real traffic are hardly further apart than this.
constexpr int64_t kPlausibleStepSeconds = 7 * 86400;

}  // namespace

bool PcapReader::recognises(Bytes bytes) {
  if (bytes.size < 4) return false;
  const uint32_t magic = load32(bytes.data);
  return isMagic(magic) || isMagic(swap32(magic));
}

Next PcapReader::readHeader(Bytes bytes, Header* header, std::string* damage) {
  if (bytes.size < pcap::kFileHeaderBytes) return Next::need_more;
  const uint8_t* p = bytes.data;
  uint32_t magic = load32(p);
  header->swapped = !isMagic(magic);
  const Order order{header->swapped};
  magic = order.u32(p);
  header->nanos = magic == pcap::kMagicNanos;
  header->modified = magic == pcap::kMagicModified;
  header->version_major = order.u16(p + 4);
  header->version_minor = order.u16(p + 6);
  header->snap_length = order.u32(p + 16);
  header->link_type = order.u32(p + 20) & 0xffff;
  const bool known = header->version_major == pcap::kVersionMajor && header->version_minor <= pcap::kVersionMinor;
  if (!known && !isOddVersion(*header)) {
    *damage = "pcap version " + std::to_string(header->version_major) + "." + std::to_string(header->version_minor) +
              " is not supported (2.0 to 2.4 are)";
    return Next::damage;
  }
  return Next::section;
}

PcapReader::PcapReader(const Header& header)
    : header_(header),
      order_{header.swapped},
      record_header_(header.modified ? pcap::kModifiedRecordHeaderBytes : pcap::kRecordHeaderBytes),
      max_caplen_(std::min(std::max(header.snap_length, limits::kMaxUsualCaplen), limits::kMaxBlockBytes)),
      tick_nanos_(header.nanos ? 1 : 1000),
      ticks_per_second_(header.nanos ? 1'000'000'000 : 1'000'000) {
  // Before version 2.3 the two lengths were written the other way round; 2.3 itself was written both ways.
  if (isOddVersion(header) || header.version_minor < 3) lengths_ = Lengths::swapped;
  else lengths_ = header.version_minor == 3 ? Lengths::maybe_swapped : Lengths::normal;
  const bool plain = !header.swapped && !header.modified && lengths_ == Lengths::normal;
  verbatim_ = !plain ? Format::none : header.nanos ? Format::pcap_ns : Format::pcap_us;
}

bool PcapReader::plausible(const uint8_t* at, size_t left, bool at_end) const {
  int64_t before = 0;
  for (int n = 0; n < limits::kResyncChain; ++n) {
    if (left == 0 && at_end) return true;
    if (left < record_header_) return n > 0;
    const int64_t seconds = order_.u32(at);
    uint32_t caplen = order_.u32(at + 8);
    uint32_t wirelen = order_.u32(at + 12);
    if (lengths_ == Lengths::swapped) std::swap(caplen, wirelen);
    if (order_.u32(at + 4) >= ticks_per_second_ || caplen > max_caplen_ || wirelen < caplen || wirelen == 0)
      return false;
    if (n > 0 && std::llabs(seconds - before) > kPlausibleStepSeconds) return false;
    before = seconds;
    const size_t size = record_header_ + caplen;
    if (left < size) return n > 0 && !at_end;
    at += size;
    left -= size;
  }
  return true;
}

std::string PcapReader::damageText() const {
  return "captured length " + std::to_string(bad_length_) + " is more than the " + std::to_string(max_caplen_) +
         " bytes a packet of this file may have";
}

}  // namespace spillway
