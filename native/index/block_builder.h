// Builds the index of one block after another while its packets go by. It allocates nothing per packet.
#pragma once
#include <array>
#include <cstdint>

#include "format/packet.h"
#include "index/block.h"
#include "index/bloom.h"
#include "index/fresh_keys.h"
#include "index/keys.h"

namespace spillway {

class BlockBuilder {
 public:
  BlockBuilder() { begin(0, 0); }

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
    } else {
      entry.min_time = packet.time < entry.min_time ? packet.time : entry.min_time;
      entry.max_time = packet.time > entry.max_time ? packet.time : entry.max_time;
    }
    ++entry.packets;
  }

  void note(Key key) {
    switch (key.kind) {
      case KeyKind::ip4: {
        const auto value = static_cast<uint32_t>(key.value);
        return ip4_.push(value, recent_ip4_.isFresh(value));
      }
      case KeyKind::port: {
        const auto value = static_cast<uint16_t>(key.value);
        return ports_.push(value, port_set_.isFresh(value));
      }
      case KeyKind::ip6:
        return ip6_.push(key.value, recent_ip6_.isFresh(key.value));
      case KeyKind::mac:
        return macs_.push(key.value, recent_macs_.isFresh(key.value));
      case KeyKind::ip_protocol:
        closed_.small.ip_protocols[key.value >> 6 & 3] |= uint64_t{1} << (key.value & 63);
        return;
      case KeyKind::vlan:
        return noteVlan(static_cast<uint16_t>(key.value & 0xfff));
      case KeyKind::ether_type:
        if (recent_ether_types_.isFresh(static_cast<uint16_t>(key.value))) [[unlikely]]
          noteEtherType(static_cast<uint16_t>(key.value));
        return;
    }
  }
  void noteEtherType(uint16_t type);
  void noteVlan(uint16_t vlan) {
    const uint64_t bit = uint64_t{1} << (vlan & 63);
    if ((vlans_[vlan >> 6] & bit) != 0) return;
    vlans_[vlan >> 6] |= bit;
    closed_.small.vlans.push_back(vlan);
  }
  void makeFilter();

  ClosedBlock closed_;
  // 22 KiB, to stay in the first-level cache beside the packets.
  RecentKeys<uint32_t, 11> recent_ip4_;
  RecentKeys<uint64_t, 9> recent_ip6_;
  RecentKeys<uint64_t, 8> recent_macs_;
  RecentKeys<uint16_t, 5> recent_ether_types_;
  PortSet port_set_;
  std::array<uint64_t, 64> vlans_{};
  FreshList<uint32_t> ip4_;
  FreshList<uint32_t> ports_;
  FreshList<uint64_t> ip6_;
  FreshList<uint64_t> macs_;
  // As they are listed, made when the block is closed.
  FreshList<uint32_t> listed_ip6_;
  FreshList<uint32_t> listed_macs_;
  std::array<uint8_t, bloom::kMaxBytes> filter_;
};

}  // namespace spillway
