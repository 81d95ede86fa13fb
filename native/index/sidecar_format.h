// The sidecar file: the index and the checksums of one segment, beside it. Numbers are little-endian and unaligned;
// checksums are CRC-32C. What is cut, flipped, or of another file fails a checksum and is not used.
//
// Both forms begin with a header of 32 bytes:
//    0  8  magic
//    8  4  kSidecarVersion
//   12  4  form: 1 open, 2 sealed
//   16  8  segment id: whatever names the segment's contents, never reused
//   24  4  0
//   28  4  checksum of what is before
//
// An entry is what is known of one block (52 bytes):
//    0  8  offset in the segment      8  4  length           12  4  packets          16  8  smallest time, ns
//   24  8  largest time              32  4  captured bytes   36  4  packets without a time
//   40  4  checksum of the block     44  4  reader's state   48  2  link type
//   50  1  flags: 1 mixed, 2 describes                       51  1  0
//
// The open form goes on with pages, each written at once:
//    0  4  kPageMagic        4  4  bytes of the body      8  8  segment id     16  8  number of its first block
//   24  4  0                28  4  checksum of these 28 bytes followed by the body
// A page's body:
//   * the number of reader's states that are new in it (4), and each: its length (4), its bytes. States are numbered
//     from 0 on in the order in which they come.
//   * by kind (ip4, ip6, port, mac): a list (key_list.h) of the values that are new in the page's group: their number
//     (4), or kTooMany once the group has more than a list takes; bytes (4); the list.
//   * the number of blocks (4), at least 1, and each: its entry; the class of its filter (1); 1 if it has more
//     EtherTypes than are kept (1); the numbers of its IP protocols (2), EtherTypes (2) and VLAN ids (2); these,
//     ascending, in 1, 2 and 2 bytes each; its filter.
//
// A group is kGroupBlocks blocks, counted from the first; the last one may be smaller. No page is in two groups.
//
// The sealed form goes on with the groups, one behind another, each of these parts behind the one before:
//   * the entries of its blocks
//   * one byte a block: the class of its filter
//   * row keys (4 each, ascending), then their rows in that order. A row is a bit for each block, in as many bytes as
//     that takes: block b of the group is bit b % 8 of byte b / 8. See RowKey.
//   * for each class that filters have, ascending, with n blocks of that class: n < kSlicedMin: their filters, one
//   behind another.
//     Else a row for each bit of the filter, bit 0 first, with a bit for each of the n blocks: a key reads kProbes rows
//     and not n filters.
//   * by kind, the list of the group's values, where there is one
// Behind them the trailer:
//    0  8  segment id              8  8  bytes of the file before the trailer ("body")
//   16  8  blocks   24  8  packets   32  8  packets without a time   40  8  captured bytes   48  8  end in the segment
//   56  8  smallest time   64  8  largest time
//   72  4  states, and each: its length (4), its bytes
//   then: the number of groups (4), and each: first byte in the file (8), blocks (4), flags (4): 1 a packet has a
//     time, 2 a block describes; smallest time (8), largest time (8), row keys (4); the number of classes that its
//     filters have (4), and each: class (4), blocks (4), ascending; by kind: values or kTooMany (4), bytes of the
//     list (4)
//   then: the number of chunks (4), and of each its checksum (4): the body in pieces of kChunkBytes, the last one
//     shorter. So a look-up reads and checks only the pieces it needs.
// And the footer, the file's last 32 bytes:
//    0  8  magic of the end     8  8  segment id    16  4  bytes of the trailer    20  4  0
//   24  4  checksum of the trailer     28  4  checksum of the footer before this
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace spillway::sidecar {

// 0x89: no text begins so. The line end is broken by whoever changes line ends.
constexpr uint8_t kMagic[8] = {0x89, 'S', 'P', 'W', 'I', 'X', '\r', '\n'};
constexpr uint8_t kEndMagic[8] = {0x89, 'S', 'P', 'W', 'E', 'N', 'D', '\n'};
constexpr uint32_t kPageMagic = 0x45474150;  // "PAGE"

// To be raised with every change of the layout, of the hashes (bloom.h, key_list.h, ip6KeyValue), and of what keys a
// packet has (keys.h): needs drawn from one set of keys must not be looked up in another. A sidecar of another version
// is refused, and made anew.
constexpr uint32_t kSidecarVersion = 1;

enum class Form : uint32_t { open = 1, sealed = 2 };

constexpr size_t kHeaderBytes = 32;
constexpr size_t kPageHeaderBytes = 32;
constexpr size_t kFooterBytes = 32;
constexpr size_t kChunkBytes = 4096;
constexpr uint32_t kTooMany = UINT32_MAX;

// 256 MiB of a segment: rows of half a kilobyte, and a few megabytes of memory to seal.
constexpr uint32_t kGroupBlocks = 4096;
// Fewer filters are read as quickly one by one.
constexpr uint32_t kSlicedMin = 8;

// A page is ended when it has this many bytes, so that pages can be read one at a time.
constexpr size_t kPageBytes = 1u << 20;
// What a page may have at most: the states that may be new in it, the lists, and the block that ends it.
constexpr size_t kMaxPageBytes = 16u << 20;
// All reader's states of one segment, in bytes and in number. A file that describes an interface every few kilobytes
// could otherwise have an index larger than itself.
constexpr size_t kMaxStateBytes = 4u << 20;
constexpr size_t kMaxStates = 65536;

// EtherTypes of one group that have a row of their own; blocks with others are in the row any_ether_type.
constexpr size_t kMaxGroupEtherTypes = 256;

// What a row is about, in the key's top 8 bits; below it a value. The first three are those of KeyKind.
enum class RowKind : uint8_t {
  ether_type = 1,
  vlan = 2,
  ip_protocol = 3,
  any_ether_type = 0x80,  // value 0: blocks that may hold an EtherType without a row
  link_type = 0x81,       // value: the link type of all packets of the block
  describes = 0x82,       // value 0: blocks that nothing may exclude
};
constexpr uint32_t rowKey(RowKind kind, uint32_t value) { return static_cast<uint32_t>(kind) << 24 | value; }

// Bytes of a row of `blocks` bits.
constexpr size_t rowBytes(size_t blocks) { return (blocks + 7) / 8; }

}  // namespace spillway::sidecar
