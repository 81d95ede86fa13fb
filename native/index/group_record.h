// What the trailer of a sealed sidecar says of one group, and where in the file each of its parts is.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "index/block.h"
#include "index/bloom.h"
#include "index/sidecar_format.h"

namespace spillway {

struct GroupRecord {
  uint64_t at = 0;  // first byte in the file
  uint32_t blocks = 0;
  bool timed = false;      // a packet has a time
  bool describes = false;  // a block describes
  Nanos min_time = 0;
  Nanos max_time = 0;
  uint32_t row_keys = 0;
  // The blocks whose filter is of one class. Ascending by class.
  struct Class {
    uint8_t filter_class = 0;
    uint32_t blocks = 0;
    uint64_t at = 0;  // their filters' first byte in the file
    bool sliced() const { return blocks >= sidecar::kSlicedMin; }
    uint64_t bytes() const;
  };
  std::vector<Class> classes;
  struct List {
    uint32_t values = 0;  // kTooMany: there is no list
    uint32_t bytes = 0;
    bool none() const { return values == sidecar::kTooMany; }
  };
  std::array<List, kListedKinds> lists;

  uint64_t entriesAt() const { return at; }
  uint64_t classesAt() const { return entriesAt() + uint64_t{kEntryBytes} * blocks; }
  uint64_t rowKeysAt() const { return classesAt() + blocks; }
  uint64_t rowsAt() const { return rowKeysAt() + uint64_t{4} * row_keys; }
  uint64_t filtersAt() const { return rowsAt() + uint64_t{row_keys} * sidecar::rowBytes(blocks); }
  uint64_t listAt(Listed kind) const;
  uint64_t end() const;
  // Fills in where the filters of each class are.
  void placeFilters();
};

void encodeGroupRecord(const GroupRecord& record, std::vector<uint8_t>* to);
// False where it is none, or where a part of it could not be.
bool decodeGroupRecord(Cursor* in, GroupRecord* record);

}  // namespace spillway
