#include "index/sidecar_writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "index/sealer.h"
#include "index/sidecar_format.h"

namespace spillway {

using namespace sidecar;

SidecarWriter::SidecarWriter(const std::string& path, uint64_t segment_id, SidecarFile file)
    : path_(path), segment_id_(segment_id), file_(std::move(file)) {}

std::unique_ptr<SidecarWriter> SidecarWriter::create(const std::string& path, uint64_t segment_id, int* error) {
  SidecarFile file;
  if (*error = -SidecarFile::create(path, &file); *error != 0) return nullptr;
  std::unique_ptr<SidecarWriter> writer(new SidecarWriter(path, segment_id, std::move(file)));
  encodeHeader(static_cast<uint32_t>(Form::open), segment_id, &writer->pending_);
  if (*error = -writer->flush(); *error != 0) return nullptr;
  return writer;
}

std::unique_ptr<SidecarWriter> SidecarWriter::resume(const std::string& path, uint64_t segment_id, uint64_t blocks,
                                                     std::string* why) {
  SidecarFile file;
  ByteSource source;
  uint8_t header[kHeaderBytes];
  uint32_t form = 0;
  uint64_t id = 0;
  int error = SidecarFile::openExisting(path, &file);
  if (error == 0) error = ByteSource::of(file.fd(), &source);
  if (error == 0) error = source.read(0, sizeof header, header);
  if (error != 0) {
    *why = error == -ENODATA ? "it is too short" : std::string("it cannot be read: ") + std::strerror(-error);
    return nullptr;
  }
  if (!decodeHeader(header, &form, &id, why)) return nullptr;
  if (form != static_cast<uint32_t>(Form::open) || id != segment_id) {
    *why = id != segment_id ? "it belongs to another segment" : "it is sealed";
    return nullptr;
  }
  std::unique_ptr<SidecarWriter> writer(new SidecarWriter(path, segment_id, std::move(file)));
  writer->written_ = kHeaderBytes;
  PageReader pages(source, segment_id);
  for (Page page; writer->blocks_ < blocks && pages.next(&page);) writer->takeBack(page, blocks, pages.at());
  if (writer->blocks_ != blocks) {
    *why = "it has only " + std::to_string(writer->blocks_) + " whole blocks";
    return nullptr;
  }
  if (error = writer->file_.truncate(writer->written_); error != 0) {
    *why = std::string("it cannot be cut: ") + std::strerror(-error);
    return nullptr;
  }
  return writer;
}

void SidecarWriter::takeBack(const Page& page, uint64_t blocks, uint64_t page_end) {
  const bool whole = blocks_ + page.blocks.size() <= blocks;
  if (blocks_ % kGroupBlocks == 0) beginGroup();
  for (const auto& bytes : page.states) {
    state_bytes_ += bytes.size();
    states_.emplace(bytes, state_count_++);
    if (!whole) page_.addState({bytes.data(), bytes.size()});
  }
  for (size_t kind = 0; kind < kListedKinds; ++kind) {
    const PageList& list = page.listed[kind];
    group_listed_[kind].insert(list.values, &page_.listed(kind).values);
    if (list.too_many) group_listed_[kind].setTooMany();
    if (group_listed_[kind].tooMany()) page_.listed(kind).setTooMany();
    if (whole) page_.listed(kind) = {};
  }
  // Of a page that is kept in part, lists may hold what only its other blocks had: too much, never too little.
  for (const IndexedBlock& block : page.blocks) {
    if (blocks_ == blocks) break;
    if (!whole) page_.addBlock(block);
    ++blocks_;
    end_ = block.entry.end();
  }
  if (whole) written_ = page_end;
}

uint32_t SidecarWriter::state(Bytes state) {
  std::vector<uint8_t> bytes(state.data, state.data + state.size);
  const auto known = states_.find(bytes);
  if (known != states_.end()) return known->second;
  if (state_count_ >= kMaxStates || bytes.size() > kMaxStateBytes - state_bytes_) return kNoState;
  page_.addState(state);
  state_bytes_ += bytes.size();
  return states_.emplace(std::move(bytes), state_count_++).first->second;
}

int SidecarWriter::add(const ClosedBlock& block) {
  const BlockEntry& entry = block.entry;
  if (entry.offset != end_ || entry.length == 0 || entry.state >= state_count_) return -EINVAL;
  if (blocks_ % kGroupBlocks == 0) {
    endPage();
    beginGroup();
  }
  for (size_t kind = 0; kind < kListedKinds; ++kind) {
    KeySet& set = group_listed_[kind];
    if (set.tooMany()) continue;
    set.insert(block.listed[kind], &page_.listed(kind).values);
    if (set.tooMany()) page_.listed(kind).setTooMany();
  }
  page_.addBlock(block);
  ++blocks_;
  end_ = entry.end();
  if (page_.bytes() < kPageBytes) return 0;
  return flush();
}

void SidecarWriter::beginGroup() {
  for (KeySet& set : group_listed_) set.clear();
}

void SidecarWriter::endPage() {
  if (page_.blocks() == 0) return;
  page_.end(segment_id_, blocks_ - page_.blocks(), &pending_);
}

int SidecarWriter::flush() {
  endPage();
  if (pending_.empty()) return 0;
  if (const int error = file_.write({pending_.data(), pending_.size()}, written_); error != 0) return error;
  written_ += pending_.size();
  pending_.clear();
  return 0;
}

int SidecarWriter::sync() {
  const int error = flush();
  return error != 0 ? error : file_.sync();
}

int SidecarWriter::seal() {
  if (const int error = flush(); error != 0) return error;
  const std::string part = path_ + ".part";
  int error = sealInto(part);
  if (error == 0) error = renameDurably(part, path_);
  if (error != 0) ::unlink(part.c_str());
  return error;
}

int SidecarWriter::sealInto(const std::string& path) {
  SidecarFile file;
  if (const int error = SidecarFile::create(path, &file); error != 0) return error;
  const ByteSource source = {file_.fd(), {}, written_};
  SealedOutput output(&file);
  Sealer sealer(segment_id_, &output);
  PageReader pages(source, segment_id_);
  for (Page page; pages.next(&page);)
    if (const int error = sealer.add(page); error != 0) return error;
  if (pages.error() != 0) return pages.error();
  // What was written does not read back.
  if (pages.torn() || sealer.totals().blocks != blocks_) return -EIO;
  if (const int error = sealer.finish(); error != 0) return error;
  return file.sync();
}

}  // namespace spillway
