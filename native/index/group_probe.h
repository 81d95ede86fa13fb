// Look-ups in one group of a sealed sidecar: which of its blocks may hold what is needed.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/block_set.h"
#include "index/need.h"
#include "index/sealed_sidecar.h"

namespace spillway {

class GroupProbe {
 public:
  // Both are borrowed.
  GroupProbe(SealedSidecar* sidecar, const GroupRecord* group) : sidecar_(sidecar), group_(group) {}

  // Every call returns false, with a reason, where what it would have to read is damaged or can't be read.

  // The blocks that may hold a packet with one alternative of every clause.
  bool mayHold(const Needs& needs, BlockSet* blocks, std::string* why);
  // The blocks of a row; none where the group has no such row.
  bool row(uint32_t row_key, BlockSet* blocks, std::string* why);

 private:
  bool addAlternative(const Need& need, BlockSet* blocks, size_t* lookups, std::string* why);
  bool addRows(sidecar::RowKind kind, const Need& need, BlockSet* blocks, std::string* why);
  bool addListed(Listed kind, const Need& need, BlockSet* blocks, size_t* lookups, std::string* why);
  bool addKey(Key key, BlockSet* blocks, std::string* why);
  bool addKeyOfClass(const GroupRecord::Class& c, uint64_t hash, BlockSet* blocks, std::string* why);
  bool columns(const GroupRecord::Class& c, uint64_t hash, BlockSet* columns, std::string* why);
  bool loadRowKeys(std::string* why);
  bool readList(Listed kind, std::vector<uint8_t>* bytes, std::string* why);
  bool isListed(Listed kind, uint32_t value, bool* listed, std::string* why);
  bool loadList(Listed kind, std::string* why);
  bool loadClasses(std::string* why);
  bool addRowAt(uint32_t index, BlockSet* blocks, std::string* why);

  SealedSidecar* sidecar_;
  const GroupRecord* group_;
  // Read when they are needed first.
  std::optional<std::vector<uint32_t>> row_keys_;
  std::array<std::optional<std::vector<uint32_t>>, kListedKinds> lists_;
  std::array<bool, kListedKinds> searched_{};
  std::optional<std::array<std::vector<uint16_t>, bloom::kMaxClass + 1>> class_blocks_;  // by class
};

}  // namespace spillway
