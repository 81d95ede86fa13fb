#include "scan/block_sums.h"

#include <algorithm>

#include "base/crc32c.h"
#include "base/limits.h"

namespace spillway {

std::shared_ptr<const BlockSums> BlockSums::of(std::vector<BlockSum> blocks, std::string* why,
                                               std::vector<uint8_t> state_behind_first) {
  uint64_t before = 0;
  for (const BlockSum& block : blocks) {
    if (block.start < before || block.end <= block.start) {
      *why = "not ascending and disjoint";
      return nullptr;
    }
    if (block.bytes() > limits::kMaxCheckedBytes) {
      *why = "larger than " + std::to_string(limits::kMaxCheckedBytes) + " bytes";
      return nullptr;
    }
    before = block.end;
  }
  return std::shared_ptr<const BlockSums>(new BlockSums(std::move(blocks), std::move(state_behind_first)));
}

bool BlockSums::cover(uint64_t start, uint64_t end) const {
  if (start >= end) return true;
  const BlockSum* block = find(start);
  const BlockSum* const last = blocks_.data() + blocks_.size();
  while (block != nullptr && block->end < end) {
    const BlockSum* next = block + 1;
    block = next != last && next->start == block->end ? next : nullptr;
  }
  return block != nullptr;
}

const BlockSum* BlockSums::find(uint64_t offset) const {
  const auto behind = std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                                       [](uint64_t at, const BlockSum& block) { return at < block.end; });
  return behind != blocks_.end() && behind->start <= offset ? &*behind : nullptr;
}

size_t BlockSums::bytesWithin(const BlockSum* first, uint64_t end, size_t room) const {
  const BlockSum* const last = blocks_.data() + blocks_.size();
  uint64_t at = first->start;
  for (const BlockSum* block = first; block != last && block->start == at && at < end; ++block) {
    if (block->end - first->start > room) break;
    at = block->end;
  }
  return static_cast<size_t>(at - first->start);
}

size_t BlockSums::agreeing(const BlockSum* first, Bytes bytes) {
  size_t at = 0;
  for (const BlockSum* block = first; at < bytes.size; ++block) {
    if (block->bytes() > bytes.size - at || crc32c(bytes.data + at, block->bytes()) != block->crc32c) break;
    at += block->bytes();
  }
  return at;
}

bool BlockSums::canLeaveOut(const BlockSum& block, const std::vector<uint8_t>& state) const {
  if (state.empty()) return false;
  // A section that is alike could begin in any other block; the first one's is known to who has read the file's header.
  return block.start == 0 ? state == state_behind_first_ : !block.describes;
}

}  // namespace spillway
