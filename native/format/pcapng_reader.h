// Reads PCAPNG: both byte orders, sections, interfaces, enhanced, simple and obsolete packet blocks.
// Other blocks are skipped. Options of packets are handed on unchecked.
#pragma once
#include <string>
#include <vector>

#include "base/limits.h"
#include "format/packet.h"
#include "format/pcapng_format.h"

namespace spillway {

class PcapngReader {
 public:
  // Turns ticks of an interface's clock into nanoseconds since the epoch.
  struct Clock {
    explicit Clock(const Interface& interface);
    ClampedNanos nanos(uint64_t ticks) const;

   private:
    enum class Kind : uint8_t { multiply, divide, shift, zero };
    Kind kind_;
    uint8_t shift_ = 0;
    uint64_t factor_ = 1;
    Int128 offset_nanos_;
  };

  static bool recognises(Bytes bytes) { return bytes.size >= 4 && load32(bytes.data) == pcapng::kSectionHeader; }

  // The state at a block boundary: all that is needed to go on from there.
  bool swapped() const { return order_.swapped; }
  const std::vector<Interface>& interfaces() const { return interfaces_; }
  void restore(bool swapped, const std::vector<Interface>& interfaces);
  // Takes back the interface read last, so that its block can be read again.
  void forgetInterface();
  Order order() const { return order_; }

  uint16_t versionMajor() const { return version_major_; }
  uint16_t versionMinor() const { return version_minor_; }

  // Reads the block at `at`. The packet points into `at`; for other blocks only `record` (and `options`) are filled.
  Next next(const uint8_t* at, size_t left, Packet* packet) {
    if (left < 8) return Next::need_more;
    const uint32_t type = order_.u32(at);
    if (type != pcapng::kEnhancedPacket) [[unlikely]]
      return other(at, left, type, packet);
    const uint32_t size = order_.u32(at + 4);
    if (size < pcapng::kBlockOverhead + pcapng::kEnhancedBody || (size & 3) || size > limits::kMaxBlockBytes)
        [[unlikely]]
      return badLength(type, size);
    if (left < size) return Next::need_more;
    if (order_.u32(at + size - 4) != size) [[unlikely]]
      return badTrailer(size, order_.u32(at + size - 4));
    packet->interface = order_.u32(at + 8);
    const uint64_t ticks = static_cast<uint64_t>(order_.u32(at + 12)) << 32 | order_.u32(at + 16);
    packet->dropped = 0;
    packet->block_drops = false;
    return finishPacket(at, size, pcapng::kEnhancedBody, order_.u32(at + 20), order_.u32(at + 24), ticks, packet);
  }

  bool plausible(const uint8_t* at, size_t left, bool at_end) const;

  const std::string& damageText() const { return damage_; }

 private:
  Next finishPacket(const uint8_t* at, uint32_t size, uint32_t body, uint32_t caplen, uint32_t wirelen, uint64_t ticks,
                    Packet* packet) {
    const uint32_t room = size - pcapng::kBlockOverhead - body;
    if (caplen > room || pad4(caplen) > room) [[unlikely]]
      return badCaplen(caplen, room);
    if (packet->interface >= clocks_.size()) [[unlikely]]
      return badInterface(packet->interface);
    const ClampedNanos time = clocks_[packet->interface].nanos(ticks);
    packet->time = time.ns;
    packet->time_clamped = time.clamped;
    packet->has_time = true;
    packet->data = at + 8 + body;
    packet->caplen = caplen;
    packet->wirelen = wirelen;
    packet->record = {at, size};
    packet->options = {packet->data + pad4(caplen), room - pad4(caplen)};
    packet->verbatim =
        packet->options.empty() && body == pcapng::kEnhancedBody ? verbatim_[packet->interface] : Format::none;
    return Next::packet;
  }

  Next other(const uint8_t* at, size_t left, uint32_t type, Packet* packet);
  Next section(const uint8_t* at, size_t left, Packet* packet);
  Next interfaceDescription(const uint8_t* at, uint32_t size, Packet* packet);
  Next simplePacket(const uint8_t* at, uint32_t size, Packet* packet);
  Next obsoletePacket(const uint8_t* at, uint32_t size, Packet* packet);
  void addInterface(const Interface& interface);
  Next damage(std::string text);
  Next badLength(uint32_t type, uint32_t size);
  Next badTrailer(uint32_t size, uint32_t trailer);
  Next badCaplen(uint32_t caplen, uint32_t room);
  Next badInterface(uint32_t interface);

  Order order_;
  bool in_section_ = false;
  uint16_t version_major_ = 0;
  uint16_t version_minor_ = 0;
  std::vector<Interface> interfaces_;
  std::vector<Clock> clocks_;     // beside interfaces_
  std::vector<Format> verbatim_;  // beside interfaces_: the format whose writer gives blocks like this one's
  std::string damage_;
};

}  // namespace spillway
