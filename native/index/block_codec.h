// A block's part of a page, to bytes and back (sidecar_format.h).
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "index/block.h"

namespace spillway {

void encodeEntry(const BlockEntry& entry, std::vector<uint8_t>* to);
// `bytes` are kEntryBytes. False where they are no entry.
bool decodeEntry(const uint8_t* bytes, BlockEntry* entry);

void encodeBlock(const IndexedBlock& block, std::vector<uint8_t>* to);
// Takes one block. False where there is none; its filter points into the cursor's bytes.
bool decodeBlock(Cursor* in, IndexedBlock* block);

}  // namespace spillway
