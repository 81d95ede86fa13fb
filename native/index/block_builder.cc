#include "index/block_builder.h"

#include <algorithm>

#include "index/key_list.h"

namespace spillway {
void BlockBuilder::begin(uint64_t offset, uint32_t state) {
  closed_.entry = {};
  closed_.entry.offset = offset;
  closed_.entry.state = state;
  closed_.small.ip_protocols.fill(0);
  closed_.small.vlans.clear();
  closed_.small.ether_types.clear();
  closed_.small.any_ether_type = false;
  recent_ip4_.clear();
  recent_ip6_.clear();
  recent_macs_.clear();
  recent_ether_types_.clear();
  port_set_.clear();
  vlans_.fill(0);
  ip4_.clear();
  ports_.clear();
  ip6_.clear();
  macs_.clear();
}

void BlockBuilder::noteEtherType(uint16_t type) {
  auto& types = closed_.small.ether_types;
  if (std::find(types.begin(), types.end(), type) != types.end()) return;
  if (types.size() < kMaxBlockEtherTypes) types.push_back(type);
  else closed_.small.any_ether_type = true;
}

const ClosedBlock& BlockBuilder::close(uint64_t end, uint32_t crc32c) {
  BlockEntry& entry = closed_.entry;
  entry.length = static_cast<uint32_t>(end - entry.offset);
  entry.crc32c = crc32c;
  if (entry.mixed) entry.link_type = 0;
  makeFilter();
  return closed_;
}

void BlockBuilder::makeFilter() {
  // A few keys may be counted twice, so that there are never less than 8 bits for each.
  closed_.filter_class = bloom::classFor(ip4_.values().size() + ports_.values().size() + ip6_.values().size());
  const size_t bytes = bloom::bytesOf(closed_.filter_class);
  closed_.filter = {filter_.data(), bytes};
  std::fill_n(filter_.begin(), bytes, uint8_t{0});
  for (const uint32_t value : ip4_.values()) bloom::add(filter_.data(), bytes, bloom::hashKey(KeyKind::ip4, value));
  for (const uint32_t value : ports_.values()) bloom::add(filter_.data(), bytes, bloom::hashKey(KeyKind::port, value));
  for (const uint64_t value : ip6_.values()) bloom::add(filter_.data(), bytes, bloom::hashKey(KeyKind::ip6, value));

  listed_ip6_.clear();
  for (const uint64_t value : ip6_.values()) listed_ip6_.push(listedValue({KeyKind::ip6, value}), true);
  listed_macs_.clear();
  for (const uint64_t value : macs_.values()) listed_macs_.push(listedValue({KeyKind::mac, value}), true);
  // By Listed.
  closed_.listed = {ip4_.values(), listed_ip6_.values(), ports_.values(), listed_macs_.values()};
}

}  // namespace spillway
