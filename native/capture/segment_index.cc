#include "capture/segment_index.h"

#include "base/crc32c.h"
#include "capture/files.h"
#include "scan/state.h"

namespace spillway::capture {

int SegmentIndex::begin(const std::string& path, uint64_t segment_id, const Interface& interface, Bytes header) {
  path_ = path;
  link_type_ = interface.link_type;
  begin_ = end_ = 0;
  checksum_ = 0;
  run_ = {};
  int error = 0;
  sidecar_ = SidecarWriter::create(path, segment_id, &error);
  if (!sidecar_) return -error;
  builder_.begin(0, sidecar_->state({}));
  ReaderState state;
  state.container = Container::pcapng;
  state.interfaces = {interface};
  const auto bytes = encodeState(state);
  state_ = sidecar_->state({bytes.data(), bytes.size()});
  builder_.describes();
  extend(header);
  end_ += header.size;
  return 0;
}

void SegmentIndex::addOther(Bytes block) {
  if (!sidecar_) return;
  extend(block);
  end_ += block.size;
}

void SegmentIndex::release() {
  checksum_ = crc32c(run_.data, run_.size, checksum_);
  run_ = {};
}

void SegmentIndex::closeBlock() {
  release();
  if (sidecar_->add(builder_.close(end_, checksum_)) == -EINVAL) abandon();
  if (!sidecar_) return;
  begin_ = end_;
  checksum_ = 0;
  builder_.begin(begin_, state_);
}

int SegmentIndex::flush() { return sidecar_ ? sidecar_->flush() : 0; }

std::unique_ptr<SidecarWriter> SegmentIndex::complete() {
  if (sidecar_ && end_ != begin_) closeBlock();
  if (flush() != 0) abandon();
  return std::move(sidecar_);
}

void SegmentIndex::abandon() {
  if (!sidecar_) return;
  sidecar_.reset();
  run_ = {};
  removeFile(path_);
}

}  // namespace spillway::capture
