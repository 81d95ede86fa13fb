#include "index/page.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/crc32c.h"
#include "index/append.h"
#include "index/block_codec.h"
#include "index/sidecar_format.h"

namespace spillway {

using namespace sidecar;

void encodeHeader(uint32_t form, uint64_t segment_id, std::vector<uint8_t>* to) {
  const size_t start = to->size();
  AppendLittle put(to);
  put.bytes({kMagic, sizeof kMagic}).u32(kSidecarVersion).u32(form).u64(segment_id).u32(0);
  put.u32(crc32c(to->data() + start, kHeaderBytes - 4));
}

bool decodeHeader(const uint8_t* bytes, uint32_t* form, uint64_t* segment_id, std::string* why) {
  if (std::memcmp(bytes, kMagic, sizeof kMagic) != 0) {
    *why = "it is no index";
    return false;
  }
  if (load32(bytes + kHeaderBytes - 4) != crc32c(bytes, kHeaderBytes - 4)) {
    *why = "its header is damaged";
    return false;
  }
  const uint32_t version = load32(bytes + 8);
  if (version != kSidecarVersion) {
    *why = "it is of version " + std::to_string(version) + ", and this program uses " + std::to_string(kSidecarVersion);
    return false;
  }
  *form = load32(bytes + 12);
  *segment_id = load64(bytes + 16);
  return true;
}

void PageWriter::addState(Bytes state) {
  ++state_count_;
  AppendLittle(&states_).u32(static_cast<uint32_t>(state.size)).bytes(state);
}

void PageWriter::addBlock(const IndexedBlock& block) {
  ++block_count_;
  encodeBlock(block, &blocks_);
}

void PageWriter::end(uint64_t segment_id, uint64_t first_block, std::vector<uint8_t>* to) {
  const size_t start = to->size();
  AppendLittle put(to);
  put.u32(kPageMagic).u32(0).u64(segment_id).u64(first_block).u32(0).u32(0);
  put.u32(state_count_).bytes({states_.data(), states_.size()});
  for (PageList& list : listed_) {
    std::sort(list.values.begin(), list.values.end());
    put.u32(list.too_many ? kTooMany : static_cast<uint32_t>(list.values.size())).u32(0);
    const size_t before = to->size();
    encodeKeyList(list.values, to);
    store32(to->data() + before - 4, static_cast<uint32_t>(to->size() - before));
    list.too_many = false;
    list.values.clear();
  }
  put.u32(block_count_).bytes({blocks_.data(), blocks_.size()});

  uint8_t* page = to->data() + start;
  const size_t body = to->size() - start - kPageHeaderBytes;
  store32(page + 4, static_cast<uint32_t>(body));
  const uint32_t crc = crc32c(page, kPageHeaderBytes - 4);
  store32(page + kPageHeaderBytes - 4, crc32c(page + kPageHeaderBytes, body, crc));
  // Memory is kept for the next page.
  state_count_ = block_count_ = 0;
  states_.clear();
  blocks_.clear();
}

PageReader::PageReader(const ByteSource& source, uint64_t segment_id)
    : source_(source), segment_id_(segment_id), at_(kHeaderBytes) {}

bool PageReader::next(Page* page) {
  if (at_ + kPageHeaderBytes > source_.size) return false;
  uint8_t header[kPageHeaderBytes];
  if (error_ = source_.read(at_, sizeof header, header); error_ != 0) return false;
  const size_t bytes = load32(header + 4);
  if (load32(header) != kPageMagic || load64(header + 8) != segment_id_ || load64(header + 16) != blocks_) return false;
  if (bytes > kMaxPageBytes || bytes > source_.size - at_ - sizeof header) return false;
  *page = {};
  page->first_block = blocks_;
  page->body.resize(bytes);
  if (error_ = source_.read(at_ + sizeof header, bytes, page->body.data()); error_ != 0) return false;
  const uint32_t crc = crc32c(page->body.data(), bytes, crc32c(header, kPageHeaderBytes - 4));
  if (load32(header + kPageHeaderBytes - 4) != crc || !decode(page)) return false;
  at_ += sizeof header + bytes;
  blocks_ += page->blocks.size();
  states_ += page->states.size();
  data_end_ = page->blocks.back().entry.end();
  return true;
}

bool PageReader::decode(Page* page) {
  Cursor in({page->body.data(), page->body.size()});
  const uint32_t states = in.u32();
  if (!in.ok() || states > kMaxStates - states_) return false;
  for (uint32_t n = 0; n < states; ++n) {
    const uint32_t bytes = in.u32();
    const uint8_t* state = in.take(bytes);
    if (state == nullptr || bytes > kMaxStateBytes - state_bytes_) return false;
    state_bytes_ += bytes;
    page->states.emplace_back(state, state + bytes);
  }
  for (PageList& list : page->listed) {
    const uint32_t count = in.u32();
    const uint32_t bytes = in.u32();
    const uint8_t* at = in.take(bytes);
    if (at == nullptr) return false;
    list.too_many = count == kTooMany;
    if (!decodeKeyList({at, bytes}, list.too_many ? 0 : count, &list.values)) return false;
  }
  const uint32_t blocks = in.u32();
  if (!in.ok() || blocks == 0) return false;
  const uint64_t group = blocks_ / kGroupBlocks;
  if (blocks > kGroupBlocks || (blocks_ + blocks - 1) / kGroupBlocks != group) return false;
  uint64_t end = data_end_;
  for (uint32_t n = 0; n < blocks; ++n) {
    IndexedBlock block;
    if (!decodeBlock(&in, &block)) return false;
    if (block.entry.offset != end || block.entry.state >= states_ + states) return false;
    end = block.entry.end();
    page->blocks.push_back(std::move(block));
  }
  return in.left() == 0;
}

}  // namespace spillway
