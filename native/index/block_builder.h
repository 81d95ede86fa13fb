// Builds the index of one block after another while its packets go by. It allocates nothing per packet.
#pragma once
#include <array>
#include <cstdint>

#include "format/packet.h"
#include "index/block.h"
#include "index/bloom.h"
#include "index/keys.h"

namespace spillway {

class BlockBuilder {
 public:
  BlockBuilder();

  // Begins a block at `offset`, where the one before ended, with the reader's state in force there
  // (SidecarWriter::state).
  void begin(uint64_t offset, uint32_t state);

  // A packet of the block, as it is stored. `link_type` is that of its interface.
  void add(const Packet& packet, uint32_t link_type) {
    count(packet, link_type);
    visitKeys(packet.data, packet.caplen, link_type, [this](Key key) { note(key); });
  }

  // The block holds a section header (of PCAPNG) or an interface description: whoever skipped it would not know what
  // the output must describe.
  void describes() { closed_.entry.describes = true; }

  // With records up to `end` the block is full.
  bool full(uint64_t end) const { return end - closed_.entry.offset >= kBlockBytes; }

  // Ends the block before the byte at `end`; `crc32c` is that of its bytes. What is returned is this builder's and
  // holds until begin().
  const ClosedBlock& close(uint64_t end, uint32_t crc32c);

 private:
  // Keys seen a short while ago, by a hash of theirs: most packets repeat keys of their neighbours.
  static constexpr size_t kRecent = 512;
  using Recent = std::array<uint64_t, kRecent>;
  static size_t recentSlot(uint64_t value) { return (value * 0x9e3779b97f4a7c15) >> 55; }

  void count(const Packet& packet, uint32_t link_type) {
    BlockEntry& entry = closed_.entry;
    if (entry.packets == 0) entry.link_type = static_cast<uint16_t>(link_type);
    // Files have 16 bits for it; what needed more is a link type that no needs can be about.
    entry.mixed |= entry.link_type != link_type;
    entry.captured_bytes += packet.caplen;
    if (!packet.has_time) {
      ++entry.untimed;
    } else if (!entry.timed()) {
      entry.min_time = entry.max_time = packet.time;
    } else if (packet.time < entry.min_time) {
      entry.min_time = packet.time;
    } else if (packet.time > entry.max_time) {
      entry.max_time = packet.time;
    }
    ++entry.packets;
  }

  void note(Key key) {
    switch (key.kind) {
      case KeyKind::ip_protocol:
        closed_.small.ip_protocols[key.value >> 6 & 3] |= uint64_t{1} << (key.value & 63);
        return;
      case KeyKind::ether_type:
        if (key.value != last_ether_type_) [[unlikely]]
          noteEtherType(static_cast<uint16_t>(key.value));
        return;
      case KeyKind::vlan:
        noteVlan(static_cast<uint16_t>(key.value & 0xfff));
        return;
      case KeyKind::ip6: {
        uint64_t& slot = recent_ip6_[recentSlot(key.value)];
        if (slot != key.value) slot = key.value, noteFiltered(Listed::ip6, key);
        return;
      }
      default: {
        // At most 48 bits, so that kind and value are one number.
        const uint64_t tagged = key.value | static_cast<uint64_t>(key.kind) << 56;
        uint64_t& slot = recent_[recentSlot(tagged)];
        if (slot == tagged) return;
        slot = tagged;
        if (key.kind == KeyKind::ip4) noteFiltered(Listed::ip4, key);
        else if (key.kind == KeyKind::port) noteFiltered(Listed::port, key);
        else noteMac(key);
      }
    }
  }
  void noteEtherType(uint16_t type);
  void noteVlan(uint16_t vlan) {
    const uint64_t bit = uint64_t{1} << (vlan & 63);
    if ((vlans_[vlan >> 6] & bit) != 0) return;
    vlans_[vlan >> 6] |= bit;
    closed_.small.vlans.push_back(vlan);
  }
  void noteFiltered(Listed listed, Key key);
  void noteMac(Key key);

  ClosedBlock closed_;
  bloom::Builder filter_;
  Recent recent_;
  Recent recent_ip6_;
  std::array<uint64_t, 64> vlans_;
  uint64_t last_ether_type_;
};

}  // namespace spillway
