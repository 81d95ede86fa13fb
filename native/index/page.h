// Pages of the open form, to bytes and back (sidecar_format.h).
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "index/block.h"
#include "index/byte_source.h"
#include "index/key_list.h"

namespace spillway {

// Values of one kind that are new in a page's group.
struct PageList {
  void setTooMany() {
    too_many = true;
    values.clear();
  }
  bool too_many = false;  // the group has more than a list takes
  KeyList values;
};

struct Page {
  uint64_t first_block = 0;
  std::vector<std::vector<uint8_t>> states;  // new ones
  std::array<PageList, kListedKinds> listed;
  std::vector<IndexedBlock> blocks;
  std::vector<uint8_t> body;  // what the filters of `blocks` point into
};

// The header of a sidecar of either form.
void encodeHeader(uint32_t form, uint64_t segment_id, std::vector<uint8_t>* to);
// `bytes` are kHeaderBytes. False and a reason where they are no header of this version.
bool decodeHeader(const uint8_t* bytes, uint32_t* form, uint64_t* segment_id, std::string* why);

// Gathers blocks and makes a page of them.
class PageWriter {
 public:
  void addState(Bytes state);
  // The list of one kind, to be filled.
  PageList& listed(size_t kind) { return listed_[kind]; }
  void addBlock(const IndexedBlock& block);
  uint32_t blocks() const { return block_count_; }
  size_t bytes() const { return states_.size() + blocks_.size(); }
  // Appends the page, and begins the next one.
  void end(uint64_t segment_id, uint64_t first_block, std::vector<uint8_t>* to);

 private:
  uint32_t state_count_ = 0;
  std::vector<uint8_t> states_;
  std::array<PageList, kListedKinds> listed_;
  uint32_t block_count_ = 0;
  std::vector<uint8_t> blocks_;
};

// Reads whole pages, one after another, and stops at the first that is not whole.
class PageReader {
 public:
  PageReader(const ByteSource& source, uint64_t segment_id);
  // False at the end, and where the next page is not whole or not right.
  bool next(Page* page);
  // Bytes of the file up to the end of the last page given.
  uint64_t at() const { return at_; }
  // Bytes follow there that are no whole page.
  bool torn() const { return at_ < source_.size; }
  // What keeps it from being read, where that is the system and not the bytes: -errno, or 0.
  int error() const { return error_; }

 private:
  bool decode(Page* page);

  ByteSource source_;
  uint64_t segment_id_;
  uint64_t at_;
  uint64_t blocks_ = 0;    // given so far
  uint64_t data_end_ = 0;  // of the last of them
  size_t states_ = 0;
  size_t state_bytes_ = 0;
  int error_ = 0;
};

}  // namespace spillway
