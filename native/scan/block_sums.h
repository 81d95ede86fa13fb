// What the blocks of a file must sum up to: the bytes of a block count only when they do.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace spillway {

struct BlockSum {
  uint64_t start = 0;  // offset in the file
  uint64_t end = 0;
  uint32_t crc32c = 0;
  bool describes = false;  // a section or an interface is described in it

  uint64_t bytes() const { return end - start; }
};

class BlockSums {
 public:
  // Nothing, and what is wrong, where the blocks are not ascending and disjoint, or one is empty or too large.
  // `state_behind_first`: that of the reader (scan/state.h) behind the first block of the file; none where it is not
  // known.
  static std::shared_ptr<const BlockSums> of(std::vector<BlockSum> blocks, std::string* why,
                                             std::vector<uint8_t> state_behind_first = {});

  // Every byte of [start, end) is in a block.
  bool cover(uint64_t start, uint64_t end) const;
  // The block that the byte at `offset` is in; null where none is.
  const BlockSum* find(uint64_t offset) const;
  // The bytes of the blocks from `first` on that stand one behind another, begin before `end`, and have no more than
  // `room` bytes together. 0: `first` alone has more.
  size_t bytesWithin(const BlockSum* first, uint64_t end, size_t room) const;
  // Of `bytes`, read where `first` begins: how many there are in front of the first block that is cut or has another
  // sum.
  static size_t agreeing(const BlockSum* first, Bytes bytes);
  // A reader in this state can leave a block out and read on behind it.
  bool canLeaveOut(const BlockSum& block, const std::vector<uint8_t>& state) const;

 private:
  BlockSums(std::vector<BlockSum> blocks, std::vector<uint8_t> state_behind_first)
      : blocks_(std::move(blocks)), state_behind_first_(std::move(state_behind_first)) {}

  std::vector<BlockSum> blocks_;
  std::vector<uint8_t> state_behind_first_;
};

}  // namespace spillway
