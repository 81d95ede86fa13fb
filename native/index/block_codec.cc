#include "index/block_codec.h"

#include <algorithm>
#include <bit>

#include "index/append.h"
#include "index/bloom.h"

namespace spillway {
namespace {

constexpr uint8_t kMixed = 1;
constexpr uint8_t kDescribes = 2;

void appendSorted(std::vector<uint16_t> values, AppendLittle to) {
  std::sort(values.begin(), values.end());
  for (const uint16_t value : values) to.u16(value);
}

// Ascending numbers of 2 bytes below `limit`.
bool takeAscending(Cursor* in, uint32_t count, uint32_t limit, std::vector<uint16_t>* values) {
  const uint8_t* at = in->take(size_t{2} * count);
  if (at == nullptr) return false;
  values->clear();
  for (uint32_t n = 0; n < count; ++n, at += 2) {
    const uint16_t value = load16(at);
    if (value >= limit || (n != 0 && value <= values->back())) return false;
    values->push_back(value);
  }
  return true;
}

bool takeProtocols(Cursor* in, uint32_t count, std::array<uint64_t, 4>* protocols) {
  const uint8_t* at = in->take(count);
  if (at == nullptr) return false;
  protocols->fill(0);
  for (uint32_t n = 0; n < count; ++n) (*protocols)[at[n] >> 6] |= uint64_t{1} << (at[n] & 63);
  return true;
}

uint16_t takeU16(Cursor* in) {
  const uint8_t* at = in->take(2);
  return at ? load16(at) : 0;
}

}  // namespace

void encodeEntry(const BlockEntry& e, std::vector<uint8_t>* to) {
  AppendLittle put(to);
  put.u64(e.offset).u32(e.length).u32(e.packets).i64(e.min_time).i64(e.max_time).u32(e.captured_bytes).u32(e.untimed);
  put.u32(e.crc32c).u32(e.state).u16(e.link_type);
  put.u8(static_cast<uint8_t>((e.mixed ? kMixed : 0) | (e.describes ? kDescribes : 0))).u8(0);
}

bool decodeEntry(const uint8_t* bytes, BlockEntry* e) {
  e->offset = load64(bytes);
  e->length = load32(bytes + 8);
  e->packets = load32(bytes + 12);
  e->min_time = static_cast<int64_t>(load64(bytes + 16));
  e->max_time = static_cast<int64_t>(load64(bytes + 24));
  e->captured_bytes = load32(bytes + 32);
  e->untimed = load32(bytes + 36);
  e->crc32c = load32(bytes + 40);
  e->state = load32(bytes + 44);
  e->link_type = load16(bytes + 48);
  e->mixed = (bytes[50] & kMixed) != 0;
  e->describes = (bytes[50] & kDescribes) != 0;
  return bytes[50] <= (kMixed | kDescribes) && bytes[51] == 0 && e->length != 0 && e->end() > e->offset &&
         e->untimed <= e->packets && e->min_time <= e->max_time;
}

void encodeBlock(const IndexedBlock& block, std::vector<uint8_t>* to) {
  encodeEntry(block.entry, to);
  AppendLittle put(to);
  uint32_t protocols = 0;
  for (const uint64_t word : block.small.ip_protocols) protocols += static_cast<uint32_t>(std::popcount(word));
  put.u8(block.filter_class).u8(block.small.any_ether_type ? 1 : 0);
  put.u16(static_cast<uint16_t>(protocols));
  put.u16(static_cast<uint16_t>(block.small.ether_types.size()));
  put.u16(static_cast<uint16_t>(block.small.vlans.size()));
  for (uint32_t p = 0; p < 256; ++p)
    if ((block.small.ip_protocols[p >> 6] >> (p & 63) & 1) != 0) put.u8(static_cast<uint8_t>(p));
  appendSorted(block.small.ether_types, put);
  appendSorted(block.small.vlans, put);
  put.bytes(block.filter);
}

bool decodeBlock(Cursor* in, IndexedBlock* block) {
  const uint8_t* entry = in->take(kEntryBytes);
  if (entry == nullptr || !decodeEntry(entry, &block->entry)) return false;
  block->filter_class = in->u8();
  block->small.any_ether_type = in->u8() != 0;
  const uint32_t protocols = takeU16(in);
  const uint32_t ether_types = takeU16(in);
  const uint32_t vlans = takeU16(in);
  if (!in->ok() || block->filter_class > bloom::kMaxClass || ether_types > kMaxBlockEtherTypes) return false;
  if (!takeProtocols(in, protocols, &block->small.ip_protocols)) return false;
  if (!takeAscending(in, ether_types, 65536, &block->small.ether_types)) return false;
  if (!takeAscending(in, vlans, 4096, &block->small.vlans)) return false;
  block->filter.size = bloom::bytesOf(block->filter_class);
  block->filter.data = in->take(block->filter.size);
  return in->ok();
}

}  // namespace spillway
