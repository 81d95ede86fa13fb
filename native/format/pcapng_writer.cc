#include "format/pcapng_writer.h"

#include <cstring>

namespace spillway::pcapng {

void putSection(std::vector<uint8_t>* to, Bytes options) {
  const size_t start = to->size();
  const size_t size = kBlockOverhead + kSectionBody + options.size + (options.empty() ? 0 : 4);
  to->resize(start + size);
  uint8_t* block = to->data() + start;
  store32(block + 8, kByteOrderMagic);
  store16(block + 12, 1);
  store16(block + 14, 0);
  std::memset(block + 16, 0xff, 8);  // section length: not told
  if (!options.empty()) {
    std::memcpy(block + 24, options.data, options.size);
    endOptions(block + 24 + options.size);
  }
  frame(block, kSectionHeader, size);
}

size_t interfaceBytesBound(size_t options_size, size_t comment_size) {
  return kBlockOverhead + kInterfaceBody + copiedOptionsBound(options_size) + 4 + pad4(comment_size) +
         8 /* resolution */ + 12 /* offset */ + 4;
}

size_t putInterface(uint8_t* to, const Interface& interface, bool nanos, Bytes options, Order order, Bytes comment) {
  store16(to + 8, static_cast<uint16_t>(interface.link_type));
  store16(to + 10, 0);
  store32(to + 12, interface.snap_length);
  size_t at = 16;
  at += copyOptions(options, order, OptionScope::interface, to + at);
  if (!comment.empty()) at += putOption(to + at, kComment, comment.data, static_cast<uint16_t>(comment.size));
  const uint8_t resolution = nanos ? 9 : 6;
  at += putOption(to + at, kIfResolution, &resolution, 1);
  if (interface.offset_seconds != 0) {
    uint8_t offset[8];
    store64(offset, static_cast<uint64_t>(interface.offset_seconds));
    at += putOption(to + at, kIfOffset, offset, 8);
  }
  at += endOptions(to + at);
  frame(to, kInterfaceDescription, at + 4);
  return at + 4;
}

size_t putPacket(uint8_t* to, const Packet& packet, uint32_t keep, uint32_t interface_id, uint64_t ticks, Order order) {
  store32(to + 8, interface_id);
  storeTicks(to + 12, ticks);
  store32(to + 20, keep);
  store32(to + 24, packet.wirelen);
  if (keep != 0) std::memcpy(to + 28, packet.data, keep);
  size_t at = 28 + pad4(keep);
  std::memset(to + 28 + keep, 0, at - 28 - keep);
  const size_t options_start = at;
  if (!packet.options.empty()) at += copyOptions(packet.options, order, OptionScope::packet, to + at);
  if (packet.block_drops && packet.dropped != 0) {
    uint8_t drops[8];
    store64(drops, packet.dropped);
    at += putOption(to + at, kPacketDropCount, drops, 8);
  }
  if (at != options_start) at += endOptions(to + at);
  frame(to, kEnhancedPacket, at + 4);
  return at + 4;
}

}  // namespace spillway::pcapng
