#include "index/group_record.h"

#include "index/append.h"
#include "index/key_list.h"

namespace spillway {

using namespace sidecar;

namespace {

constexpr uint32_t kTimed = 1;
constexpr uint32_t kDescribes = 2;

// EtherTypes, VLAN ids, protocols, link types and single rows.
constexpr uint32_t kMaxRowKeys = kMaxGroupEtherTypes + 4096 + 256 + kGroupBlocks + 2;

}  // namespace

uint64_t GroupRecord::Class::bytes() const { return uint64_t{bloom::bytesOf(filter_class)} * blocks; }

void GroupRecord::placeFilters() {
  uint64_t next = filtersAt();
  for (Class& c : classes) {
    c.at = next;
    next += c.bytes();
  }
}

uint64_t GroupRecord::listAt(Listed kind) const {
  uint64_t offset = classes.empty() ? filtersAt() : classes.back().at + classes.back().bytes();
  for (size_t k = 0; k < static_cast<size_t>(kind); ++k) offset += lists[k].bytes;
  return offset;
}

uint64_t GroupRecord::end() const { return listAt(static_cast<Listed>(kListedKinds)); }

void encodeGroupRecord(const GroupRecord& record, std::vector<uint8_t>* to) {
  AppendLittle put(to);
  put.u64(record.at).u32(record.blocks).u32((record.timed ? kTimed : 0) | (record.describes ? kDescribes : 0));
  put.i64(record.min_time).i64(record.max_time).u32(record.row_keys);
  put.u32(static_cast<uint32_t>(record.classes.size()));
  for (const GroupRecord::Class& c : record.classes) put.u32(c.filter_class).u32(c.blocks);
  for (const GroupRecord::List& list : record.lists) put.u32(list.values).u32(list.bytes);
}

bool decodeGroupRecord(Cursor* in, GroupRecord* record) {
  record->at = in->u64();
  record->blocks = in->u32();
  const uint32_t flags = in->u32();
  record->timed = (flags & kTimed) != 0;
  record->describes = (flags & kDescribes) != 0;
  record->min_time = static_cast<int64_t>(in->u64());
  record->max_time = static_cast<int64_t>(in->u64());
  record->row_keys = in->u32();
  const uint32_t classes = in->u32();
  uint64_t with_filter = 0;
  bool right = classes <= bloom::kMaxClass;
  for (uint32_t n = 0; right && n < classes; ++n) {
    const uint32_t filter_class = in->u32();
    const uint32_t blocks = in->u32();
    const uint32_t before = n == 0 ? 0 : record->classes.back().filter_class;
    right = filter_class > before && filter_class <= bloom::kMaxClass && blocks != 0;
    with_filter += blocks;
    record->classes.push_back({static_cast<uint8_t>(filter_class), blocks, 0});
  }
  for (GroupRecord::List& list : record->lists) {
    list.values = in->u32();
    list.bytes = in->u32();
    // Every value has a byte at least and five at most; no list has none.
    const uint64_t values = list.none() ? 0 : list.values;
    right &= values <= kMaxListed && list.bytes >= values && list.bytes <= kMaxListedBytes * values;
  }
  // All counts are bounded, so that the sums of sizes above stay far below 2^64.
  right &= in->ok() && record->blocks != 0 && record->blocks <= kGroupBlocks && with_filter <= record->blocks &&
           record->row_keys <= kMaxRowKeys && record->at < uint64_t{1} << 56;
  if (right) record->placeFilters();
  return right;
}

}  // namespace spillway
