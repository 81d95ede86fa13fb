#include "index/sealer.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "index/append.h"
#include "index/bit_slice.h"
#include "index/block_codec.h"
#include "index/key_list.h"
#include "index/sidecar_format.h"

namespace spillway {

using namespace sidecar;

Sealer::Sealer(uint64_t segment_id, SealedOutput* to) : segment_id_(segment_id), to_(to) {
  std::vector<uint8_t> header;
  encodeHeader(static_cast<uint32_t>(Form::sealed), segment_id_, &header);
  to_->append(header);
}

int Sealer::add(const Page& page) {
  if (page.first_block % kGroupBlocks == 0 && page.first_block != 0) {
    if (const int error = endGroup(); error != 0) return error;
  }
  states_.insert(states_.end(), page.states.begin(), page.states.end());
  for (size_t kind = 0; kind < kListedKinds; ++kind) {
    PageList& all = group_.listed[kind];
    const PageList& more = page.listed[kind];
    all.too_many |= more.too_many;
    all.values.insert(all.values.end(), more.values.begin(), more.values.end());
  }
  for (const IndexedBlock& block : page.blocks) add(block);
  return 0;
}

void Sealer::add(const IndexedBlock& block) {
  const BlockEntry& entry = block.entry;
  GroupRecord& record = group_.record;
  totals_.add(entry);
  if (entry.timed()) {
    record.min_time = record.timed ? std::min(record.min_time, entry.min_time) : entry.min_time;
    record.max_time = record.timed ? std::max(record.max_time, entry.max_time) : entry.max_time;
    record.timed = true;
  }
  const uint32_t at = record.blocks++;
  encodeEntry(entry, &group_.entries);
  group_.classes.push_back(block.filter_class);
  if (block.filter_class != 0) {
    std::vector<uint8_t>& filters = group_.filters[block.filter_class];
    filters.insert(filters.end(), block.filter.data, block.filter.data + block.filter.size);
  }
  if (entry.describes) {
    record.describes = true;
    group_.rows[rowKey(RowKind::describes, 0)].add(at);
  }
  if (!entry.mixed && entry.packets != 0) group_.rows[rowKey(RowKind::link_type, entry.link_type)].add(at);
  addSmall(block.small, at);
}

void Sealer::addSmall(const SmallKeys& small, uint32_t block) {
  for (uint32_t p = 0; p < 256; ++p)
    if ((small.ip_protocols[p >> 6] >> (p & 63) & 1) != 0) group_.rows[rowKey(RowKind::ip_protocol, p)].add(block);
  for (const uint16_t vlan : small.vlans) group_.rows[rowKey(RowKind::vlan, vlan)].add(block);
  bool any = small.any_ether_type;
  for (const uint16_t type : small.ether_types) {
    const uint32_t key = rowKey(RowKind::ether_type, type);
    auto row = group_.rows.find(key);
    if (row == group_.rows.end()) {
      if (group_.ether_types == kMaxGroupEtherTypes) {
        any = true;
        continue;
      }
      ++group_.ether_types;
      row = group_.rows.emplace(key, BlockSet{}).first;
    }
    row->second.add(block);
  }
  if (any) group_.rows[rowKey(RowKind::any_ether_type, 0)].add(block);
}

int Sealer::endGroup() {
  Group group = std::exchange(group_, {});
  GroupRecord& record = group.record;
  record.at = to_->size();
  record.row_keys = static_cast<uint32_t>(group.rows.size());
  to_->append(group.entries);
  to_->append(group.classes);

  std::vector<uint8_t> bytes;
  for (const auto& [key, row] : group.rows) AppendLittle(&bytes).u32(key);
  for (const auto& [key, row] : group.rows) AppendLittle(&bytes).bytes({row.row(), rowBytes(record.blocks)});
  to_->append(bytes);

  for (auto& [filter_class, filters] : group.filters) {
    const size_t filter_bytes = bloom::bytesOf(filter_class);
    const auto blocks = static_cast<uint32_t>(filters.size() / filter_bytes);
    const GroupRecord::Class& c = record.classes.emplace_back(GroupRecord::Class{filter_class, blocks, 0});
    if (c.sliced()) {
      bytes.clear();
      appendSliced({filters.data(), filters.size()}, blocks, filter_bytes, &bytes);
      to_->append(bytes);
    } else {
      to_->append(filters);
    }
    filters = {};
  }
  for (size_t kind = 0; kind < kListedKinds; ++kind) {
    PageList& list = group.listed[kind];
    std::sort(list.values.begin(), list.values.end());
    list.values.erase(std::unique(list.values.begin(), list.values.end()), list.values.end());
    if (list.too_many || list.values.size() > kMaxListed) {
      record.lists[kind].values = kTooMany;
      continue;
    }
    bytes.clear();
    encodeKeyList(list.values, &bytes);
    record.lists[kind] = {static_cast<uint32_t>(list.values.size()), static_cast<uint32_t>(bytes.size())};
    to_->append(bytes);
  }
  groups_.push_back(record);
  return to_->append(Bytes{});
}

int Sealer::finish() {
  if (group_.record.blocks != 0) endGroup();
  std::vector<uint8_t> trailer;
  AppendLittle put(&trailer);
  put.u64(segment_id_).u64(to_->size());
  put.u64(totals_.blocks).u64(totals_.packets).u64(totals_.untimed).u64(totals_.captured_bytes).u64(totals_.end);
  put.i64(totals_.min_time).i64(totals_.max_time);
  put.u32(static_cast<uint32_t>(states_.size()));
  for (const auto& state : states_) put.u32(static_cast<uint32_t>(state.size())).bytes({state.data(), state.size()});
  put.u32(static_cast<uint32_t>(groups_.size()));
  for (const GroupRecord& record : groups_) encodeGroupRecord(record, &trailer);
  const std::vector<uint32_t> checksums = to_->chunkChecksums();
  put.u32(static_cast<uint32_t>(checksums.size()));
  for (const uint32_t crc : checksums) put.u32(crc);

  std::vector<uint8_t> footer;
  AppendLittle end(&footer);
  end.bytes({kEndMagic, sizeof kEndMagic}).u64(segment_id_).u32(static_cast<uint32_t>(trailer.size())).u32(0);
  end.u32(crc32c(trailer.data(), trailer.size()));
  end.u32(crc32c(footer.data(), footer.size()));
  to_->append(trailer);
  to_->append(footer);
  return to_->flush();
}

}  // namespace spillway
