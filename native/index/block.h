// A block: a run of whole records of a capture file, about 64 KiB, the unit of the index.
//
// Blocks stand one behind another from the file's first byte on, its header included, so what no block covers is the
// file's tail alone. A block that is closed never changes. It is about the packets as they are stored: where a capture
// cuts them, the cut ones.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace spillway {

// A block is closed by the record that brings it to this length, so that it is longer by a part of one record.
constexpr uint32_t kBlockBytes = 64u << 10;

// What the index says of a block.
struct BlockEntry {
  uint64_t offset = 0;          // in the segment, of its first record
  uint32_t length = 0;          // bytes, up to the next block
  uint32_t packets = 0;         // with a time or without
  uint32_t untimed = 0;         // of those: without
  uint32_t captured_bytes = 0;  // of all packets
  Nanos min_time = 0;           // of the packets that have one; both 0 where none has
  Nanos max_time = 0;
  uint32_t crc32c = 0;     // of its bytes
  uint32_t state = 0;      // the reader's state in force at its first byte, as a number that SidecarWriter::state gave
  uint16_t link_type = 0;  // of all its packets; of none if there are several (mixed) or no packets
  bool mixed = false;      // its packets have several link types: no filter may exclude it
  bool describes = false;  // a section or an interface is described in it: nothing may exclude it

  bool timed() const { return packets != untimed; }
  uint64_t end() const { return offset + length; }
  friend bool operator==(const BlockEntry&, const BlockEntry&) = default;
};

// Bytes of an encoded entry.
constexpr size_t kEntryBytes = 52;

// Distinct EtherTypes of one block that are kept; with more of them it may hold any.
constexpr size_t kMaxBlockEtherTypes = 32;

// The keys of which a block keeps each one, because there are few.
struct SmallKeys {
  std::array<uint64_t, 4> ip_protocols{};  // protocol p: bit p % 64 of word p / 64
  std::vector<uint16_t> vlans;             // distinct, in any order; at most 4,096
  std::vector<uint16_t> ether_types;       // distinct, in any order; at most kMaxBlockEtherTypes
  bool any_ether_type = false;             // there were more
};

// Kinds of keys of which a segment keeps lists of distinct ones; see listedValue (key_list.h).
enum class Listed : uint8_t { ip4, ip6, port, mac };
constexpr size_t kListedKinds = 4;

// A block as the index keeps it.
struct IndexedBlock {
  BlockEntry entry;
  SmallKeys small;
  uint8_t filter_class = 0;  // of `filter` (bloom.h); 0: its packets have no such keys, and no filter
  Bytes filter;              // of addresses and ports; borrowed
};

// A block that was just closed, with what it may add to the lists of distinct keys.
struct ClosedBlock : IndexedBlock {
  // By Listed: every value that its packets hold, some more than once. Borrowed.
  std::array<std::span<const uint32_t>, kListedKinds> listed;
};

}  // namespace spillway
