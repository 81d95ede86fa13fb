#include "index/group_probe.h"

#include <algorithm>
#include <utility>

#include "index/bit_slice.h"
#include "index/key_list.h"

namespace spillway {

using namespace sidecar;

namespace {

constexpr const char* kMalformedList = "a list of it is malformed";

}  // namespace

bool GroupProbe::mayHold(const Needs& needs, BlockSet* blocks, std::string* why) {
  *blocks = needs.never ? BlockSet{} : BlockSet::first(group_->blocks);
  for (const NeedClause& clause : needs.clauses) {
    if (blocks->empty()) return true;
    BlockSet any;
    size_t lookups = 0;
    for (const Need& need : clause)
      if (!addAlternative(need, &any, &lookups, why)) return false;
    *blocks &= any;
  }
  return true;
}

bool GroupProbe::addAlternative(const Need& need, BlockSet* blocks, size_t* lookups, std::string* why) {
  switch (need.kind) {
    case KeyKind::ether_type:
      return addRows(RowKind::ether_type, need, blocks, why);
    case KeyKind::vlan:
      return addRows(RowKind::vlan, need, blocks, why);
    case KeyKind::ip_protocol:
      return addRows(RowKind::ip_protocol, need, blocks, why);
    case KeyKind::ip4:
      return addListed(Listed::ip4, need, blocks, lookups, why);
    case KeyKind::ip6:
      return addListed(Listed::ip6, need, blocks, lookups, why);
    case KeyKind::port:
      return addListed(Listed::port, need, blocks, lookups, why);
    case KeyKind::mac:
      return addListed(Listed::mac, need, blocks, lookups, why);
  }
  *blocks = BlockSet::first(group_->blocks);
  return true;
}

bool GroupProbe::addRows(RowKind kind, const Need& need, BlockSet* blocks, std::string* why) {
  constexpr uint64_t kLargest = 0xffff;  // of the values that rows are about
  if (!loadRowKeys(why)) return false;
  if (need.low <= kLargest && need.low <= need.high) {
    const auto first =
        std::lower_bound(row_keys_->begin(), row_keys_->end(), rowKey(kind, static_cast<uint32_t>(need.low)));
    const auto high = rowKey(kind, static_cast<uint32_t>(std::min(need.high, kLargest)));
    for (auto at = first; at != row_keys_->end() && *at <= high; ++at)
      if (!addRowAt(static_cast<uint32_t>(at - row_keys_->begin()), blocks, why)) return false;
  }
  return kind != RowKind::ether_type || row(rowKey(RowKind::any_ether_type, 0), blocks, why);
}

bool GroupProbe::row(uint32_t row_key, BlockSet* blocks, std::string* why) {
  if (!loadRowKeys(why)) return false;
  const auto found = std::lower_bound(row_keys_->begin(), row_keys_->end(), row_key);
  if (found == row_keys_->end() || *found != row_key) return true;
  return addRowAt(static_cast<uint32_t>(found - row_keys_->begin()), blocks, why);
}

bool GroupProbe::addRowAt(uint32_t index, BlockSet* blocks, std::string* why) {
  BlockSet set;
  const size_t bytes = rowBytes(group_->blocks);
  if (!sidecar_->read(group_->rowsAt() + uint64_t{index} * bytes, bytes, set.row(), why)) return false;
  set &= BlockSet::first(group_->blocks);
  *blocks |= set;
  return true;
}

bool GroupProbe::addListed(Listed kind, const Need& need, BlockSet* blocks, size_t* lookups, std::string* why) {
  const BlockSet all = BlockSet::first(group_->blocks);
  const GroupRecord::List& record = group_->lists[static_cast<size_t>(kind)];
  const bool single = need.low == need.high;
  // Hashes of other addresses than one can't be looked up.
  const bool hashed = kind == Listed::ip6 || kind == Listed::mac;
  if (hashed && !single) {
    *blocks |= all;
    return true;
  }
  if (record.none()) {
    // Without a list, only values that the need itself names can be looked up, and MAC addresses not at all.
    if (need.low > need.high) return true;
    if (kind == Listed::mac || need.high - need.low >= kMaxAlternatives - std::min(*lookups, kMaxAlternatives)) {
      *blocks |= all;
      return true;
    }
    for (uint64_t value = need.low;; ++value) {
      if (!addKey({need.kind, value}, blocks, why)) return false;
      ++*lookups;
      if (value == need.high) return true;
    }
  }
  if (single) {
    if (!hashed && need.low > UINT32_MAX) return true;
    bool listed = false;
    if (!isListed(kind, listedValue({need.kind, need.low}), &listed, why)) return false;
    if (!listed) return true;
    if (kind != Listed::mac) return ++*lookups, addKey({need.kind, need.low}, blocks, why);
    *blocks |= all;
    return true;
  }
  if (!loadList(kind, why)) return false;
  const KeyList& list = *lists_[static_cast<size_t>(kind)];
  // Values themselves: those that the group has and the need covers.
  if (need.low > UINT32_MAX || need.low > need.high) return true;
  const auto first = std::lower_bound(list.begin(), list.end(), need.low);
  const auto last = std::upper_bound(first, list.end(), need.high);
  if (static_cast<size_t>(last - first) > kMaxAlternatives - std::min(*lookups, kMaxAlternatives)) {
    *blocks |= all;
    return true;
  }
  for (auto value = first; value != last; ++value)
    if (++*lookups; !addKey({need.kind, *value}, blocks, why)) return false;
  return true;
}

bool GroupProbe::addKey(Key key, BlockSet* blocks, std::string* why) {
  const uint64_t hash = bloom::hashKey(key.kind, key.value);
  for (const GroupRecord::Class& c : group_->classes)
    if (!addKeyOfClass(c, hash, blocks, why)) return false;
  return true;
}

bool GroupProbe::addKeyOfClass(const GroupRecord::Class& c, uint64_t hash, BlockSet* blocks, std::string* why) {
  BlockSet found;
  if (!columns(c, hash, &found, why)) return false;
  if (found.empty()) return true;
  if (c.blocks == group_->blocks) {
    *blocks |= found;
    return true;
  }
  if (!loadClasses(why)) return false;
  const std::vector<uint16_t>& of_class = (*class_blocks_)[c.filter_class];
  found.each([&](uint32_t column) { blocks->add(of_class[column]); });
  return true;
}

bool GroupProbe::columns(const GroupRecord::Class& c, uint64_t hash, BlockSet* columns, std::string* why) {
  const size_t filter_bytes = bloom::bytesOf(c.filter_class);
  if (!c.sliced()) {
    uint8_t filter[bloom::kMaxBytes];
    for (uint32_t n = 0; n < c.blocks; ++n) {
      if (!sidecar_->read(c.at + uint64_t{n} * filter_bytes, filter_bytes, filter, why)) return false;
      if (bloom::mayHold({filter, filter_bytes}, hash)) columns->add(n);
    }
    return true;
  }
  *columns = BlockSet::first(c.blocks);
  uint8_t read[BlockSet::kBytes + 1];
  for (uint32_t probe = 0; probe < bloom::kProbes && !columns->empty(); ++probe) {
    const RowPlace place = rowPlace(bloom::bitOf(hash, probe, static_cast<uint32_t>(8 * filter_bytes)), c.blocks);
    BlockSet row;
    if (!sidecar_->read(c.at + place.offset, place.bytes, read, why)) return false;
    alignRow(read, place, rowBytes(c.blocks), row.row());
    *columns &= row;
  }
  return true;
}

bool GroupProbe::loadRowKeys(std::string* why) {
  if (row_keys_) return true;
  std::vector<uint32_t> keys(group_->row_keys);
  if (!sidecar_->read(group_->rowKeysAt(), 4 * keys.size(), reinterpret_cast<uint8_t*>(keys.data()), why)) return false;
  row_keys_ = std::move(keys);
  return true;
}

bool GroupProbe::readList(Listed kind, std::vector<uint8_t>* bytes, std::string* why) {
  bytes->resize(group_->lists[static_cast<size_t>(kind)].bytes);
  return sidecar_->read(group_->listAt(kind), bytes->size(), bytes->data(), why);
}

bool GroupProbe::isListed(Listed kind, uint32_t value, bool* listed, std::string* why) {
  std::optional<KeyList>& list = lists_[static_cast<size_t>(kind)];
  // Most look for one value; who looks for another has use for all of it.
  const bool first = !std::exchange(searched_[static_cast<size_t>(kind)], true);
  if (!list && first) {
    std::vector<uint8_t> bytes;
    if (!readList(kind, &bytes, why)) return false;
    const size_t count = group_->lists[static_cast<size_t>(kind)].values;
    const Listing found = findInKeyList({bytes.data(), bytes.size()}, count, value);
    *listed = found == Listing::present;
    if (found == Listing::malformed) *why = kMalformedList;
    return found != Listing::malformed;
  }
  if (!loadList(kind, why)) return false;
  *listed = std::binary_search(list->begin(), list->end(), value);
  return true;
}

bool GroupProbe::loadList(Listed kind, std::string* why) {
  std::optional<KeyList>& list = lists_[static_cast<size_t>(kind)];
  if (list) return true;
  std::vector<uint8_t> bytes;
  if (!readList(kind, &bytes, why)) return false;
  KeyList values;
  if (!decodeKeyList({bytes.data(), bytes.size()}, group_->lists[static_cast<size_t>(kind)].values, &values)) {
    *why = kMalformedList;
    return false;
  }
  list = std::move(values);
  return true;
}

bool GroupProbe::loadClasses(std::string* why) {
  if (class_blocks_) return true;
  std::vector<uint8_t> classes(group_->blocks);
  if (!sidecar_->read(group_->classesAt(), classes.size(), classes.data(), why)) return false;
  std::array<std::vector<uint16_t>, bloom::kMaxClass + 1> blocks;
  for (uint32_t block = 0; block < classes.size(); ++block)
    if (classes[block] <= bloom::kMaxClass) blocks[classes[block]].push_back(static_cast<uint16_t>(block));
  for (const GroupRecord::Class& c : group_->classes) {
    if (blocks[c.filter_class].size() == c.blocks) continue;
    *why = "its filters do not fit its blocks";
    return false;
  }
  class_blocks_ = std::move(blocks);
  return true;
}

}  // namespace spillway
