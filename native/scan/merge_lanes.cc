// Lanes of a merge: sources that are given stretch by stretch.
#include "scan/merge.h"

namespace spillway {

void Merge::addLane(Nanos first) {
  heads_.add({first, static_cast<uint32_t>(sources_.size())});
  sources_.emplace_back().stretch = Stretch::none;
}

bool Merge::next(int fd, uint64_t start, uint64_t end, Bytes state, std::optional<uint32_t> interface_base,
                 size_t read_bytes, std::shared_ptr<const BlockSums> sums) {
  SourceReader reader;
  if (state.empty() ? start != 0 : !reader.restore(state)) return false;
  Source& lane = sources_[asked_];
  const size_t described = reader.interfaceCount();
  if (state.empty()) lane.ids.clear();
  else if (interface_base) lane.number(*interface_base, described);
  else if (described != lane.ids.size()) return false;
  lane.reader = std::move(reader);
  lane.input.openRange(fd, start, end, read_bytes, Input::Reach::to_end, std::move(sums));
  lane.stretch = Stretch::present;
  asked_ = kNoSource;
  return true;
}

// The lane that is asked for is the first of the heads, and stays it until it is given an answer.
void Merge::idle(Nanos until) {
  heads_.changeFirst(until);
  asked_ = kNoSource;
}

void Merge::finish() {
  end(sources_[asked_]);
  asked_ = kNoSource;
}

}  // namespace spillway
