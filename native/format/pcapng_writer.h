// Writes PCAPNG, little-endian, one section; packets as enhanced packet blocks.
#pragma once
#include <cstdint>
#include <vector>

#include "format/packet.h"
#include "format/pcapng_options.h"

namespace spillway::pcapng {

// Fills in type and both lengths of a block of `size` bytes.
inline void frame(uint8_t* block, uint32_t type, size_t size) {
  store32(block, type);
  store32(block + 4, static_cast<uint32_t>(size));
  store32(block + size - 4, static_cast<uint32_t>(size));
}

// A timestamp: the high half first, whatever the byte order.
inline void storeTicks(uint8_t* to, uint64_t ticks) {
  store32(to, static_cast<uint32_t>(ticks >> 32));
  store32(to + 4, static_cast<uint32_t>(ticks));
}

// Appends a section header with these options (little-endian, without an end mark).
void putSection(std::vector<uint8_t>* to, Bytes options);

// Bounds the bytes of an interface description whose source has options of this size, with a comment of that size.
size_t interfaceBytesBound(size_t options_size, size_t comment_size = 0);

// Writes an interface description: the source's options (in its byte order) with the output's resolution in place of
// the source's; if_tsoffset is kept. `comment` (at most 65,535 bytes, or empty) is added. Returns the bytes written (at
// most interfaceBytesBound).
size_t putInterface(uint8_t* to, const Interface& interface, bool nanos, Bytes options, Order order,
                    Bytes comment = {});

// The time in ticks of the output's clock; false where it can't be held.
inline bool ticksOf(const Packet& packet, const Interface& interface, bool nanos, uint64_t* ticks) {
  if (!packet.has_time) {
    *ticks = 0;
    return true;
  }
  const Int128 ns = static_cast<Int128>(packet.time) - static_cast<Int128>(interface.offset_seconds) * kNanosPerSecond;
  // A time that was clamped on the way in is clamped on the way out: the packet is kept.
  if (ns < 0 && !packet.time_clamped) return false;
  const Uint128 value = ns < 0 ? 0 : static_cast<Uint128>(ns) / (nanos ? 1 : 1000);
  if (value >> 64) {
    *ticks = ~uint64_t{0};
    return packet.time_clamped;
  }
  *ticks = static_cast<uint64_t>(value);
  return true;
}

inline size_t packetBytesBound(const Packet& packet, uint32_t keep) {
  return kBlockOverhead + kEnhancedBody + pad4(keep) + copiedOptionsBound(packet.options.size) +
         (packet.block_drops ? 16 : 0);
}

// Writes an enhanced packet block with the first `keep` bytes and the packet's options. Returns the bytes written.
size_t putPacket(uint8_t* to, const Packet& packet, uint32_t keep, uint32_t interface_id, uint64_t ticks, Order order);

}  // namespace spillway::pcapng
