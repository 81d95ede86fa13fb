#include "capture/segment_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "capture/files.h"
#include "capture/limits.h"
#include "capture/segment_name.h"
#include "format/pcapng_format.h"

namespace spillway::capture {

SegmentStore::SegmentStore(StoreOptions options, Retention* retention, Finisher* finisher)
    : options_(std::move(options)), retention_(retention), finisher_(finisher) {}

Failed SegmentStore::open(Nanos now) {
  const auto failed = [&](int result) {
    return Failure{Code::folder_unusable, withErrno("the folder " + options_.folder + " can't be used", -result)};
  };
  std::vector<FolderEntry> entries;
  if (const int result = listFolder(options_.folder, &entries); result != 0) return failed(result);
  const auto before = readMarks(options_.folder);
  if (before) next_id_ = before->segment_id + 1;
  if (!entries.empty()) next_id_ = std::max(next_id_, entries.back().id + 1);
  // A segment that recovery could not seal stays behind the marks' one: so it is whole, as marks.h has it.
  if (std::any_of(entries.begin(), entries.end(), [](const FolderEntry& e) { return e.kind == EntryKind::part; }))
    ++next_id_;
  if (const int result = page_.open(options_.folder); result != 0) return failed(result);
  if (const int result = log_.open(options_.folder); result != 0) return failed(result);
  marks_.boot_id = bootId();
  marks_.state = CaptureState::capturing;
  marks_.segment_id = next_id_ - 1;
  header_ = segmentHeader(options_.facts, options_.application);
  // Nobody knows what came while no capture ran.
  if (before && before->committed_at != now)
    lose(lossBetween(LossKind::stopped, before->committed_at, now, kUnknownPackets));
  writeLosses();
  publish(now);
  if (options_.fsync != Fsync::never) {
    ::fdatasync(page_.fd());
    syncFolder(options_.folder);
  }
  return std::nullopt;
}

int SegmentStore::createFile(const std::string& path, Nanos now) {
  const bool recycled = retention_->makeRoom(options_.segment_bytes, path, now);
  int error;
  Fd fd = openFile(path, O_RDWR | O_CREAT, &error);
  if (!fd) return -error;
  struct stat found;
  if (recycled && ::fstat(fd.get(), &found) == 0 && static_cast<uint64_t>(found.st_size) > options_.segment_bytes &&
      ::ftruncate(fd.get(), static_cast<off_t>(options_.segment_bytes)) != 0)
    return -errno;
  // A full disk takes a smaller one, when the oldest segments have made no room.
  limit_ = options_.segment_bytes;
  for (;;) {
    const int result = preallocate(fd.get(), limit_);
    if (result == 0) break;
    const bool full = result == -ENOSPC || result == -EDQUOT;
    if (full && retention_->freeOldest(now)) continue;
    if (!full || limit_ / 2 < limits::kMinSegmentBytes) {
      removeFile(path);
      return result;
    }
    limit_ /= 2;
  }
  file_.begin(std::move(fd));
  return 0;
}

int SegmentStore::openSegment(Nanos now) {
  const uint64_t id = next_id_;
  if (const int result = createFile(path(partName(id)), now); result != 0) return result;
  ++next_id_;
  retention_->setOpen(path(partName(id)), limit_);
  Interface interface;
  interface.link_type = options_.facts.link_type;
  interface.snap_length = options_.facts.snap_length;
  interface.resolution = {false, 9};
  const Bytes header{header_.data(), header_.size()};
  index_.begin(path(stemName(id) + ".index"), id, interface, header);
  file_.add(header);
  base_packets_ += marks_.packets;
  packets_ = 0;
  losses_ = {};
  opened_at_ = now;
  ending_ = false;
  marks_.segment_id = id;
  marks_.visible_bytes = marks_.durable_bytes = marks_.packets = 0;
  marks_.smallest_time = marks_.largest_time = 0;
  publish(now);
  return 0;
}

bool SegmentStore::fits(size_t block) const { return file_.size() + block + kStatisticsBytes <= limit_; }

void SegmentStore::note(Bytes block) {
  const uint8_t* at = block.data;
  Packet packet;
  packet.record = block;
  packet.data = at + kEnhancedData;
  packet.caplen = load32(at + 20);
  packet.wirelen = load32(at + 24);
  packet.time = static_cast<Nanos>(uint64_t{load32(at + 12)} << 32 | load32(at + 16));
  index_.add(packet);
  smallest_ = packets_ == 0 ? packet.time : std::min(smallest_, packet.time);
  largest_ = packets_ == 0 ? packet.time : std::max(largest_, packet.time);
  ++packets_;
  packet_bytes_ += packet.caplen;
}

int SegmentStore::put(Bytes blocks, Nanos now, size_t* taken) {
  *taken = 0;
  int result = 0;
  while (*taken < blocks.size) {
    const uint8_t* at = blocks.data + *taken;
    const size_t size = load32(at + 4);
    // A segment takes at least one packet, however small the disk has made it.
    if (file_.isOpen() && (ending_ || (packets_ != 0 && !fits(size)))) {
      result = seal(now);
      if (result != 0) break;
    }
    if (!file_.isOpen()) {
      result = openSegment(now);
      if (result != 0) break;
    }
    const Bytes block{at, size};
    file_.add(block);
    note(block);
    *taken += size;
  }
  index_.release();
  // A failure here shows again at the next commit.
  if (file_.isOpen()) file_.writePieces();
  return result;
}

void SegmentStore::lose(Loss loss) {
  loss.segment_id = file_.isOpen() ? marks_.segment_id : 0;
  losses_.add(loss);
  LossTotals total;
  total.add(loss);
  marks_.lost_ring += total.ring;
  marks_.lost_queue += total.queue;
  marks_.lost_disk += total.disk;
  mergeLoss(&unwritten_losses_, loss);
}

int SegmentStore::writeLosses() {
  size_t done = 0;
  int result = 0;
  while (done < unwritten_losses_.size() && (result = log_.append(unwritten_losses_[done])) == 0) ++done;
  unwritten_losses_.erase(unwritten_losses_.begin(), unwritten_losses_.begin() + static_cast<ptrdiff_t>(done));
  return result;
}

void SegmentStore::publish(Nanos now) {
  marks_.committed_at = now;
  marks_.packets_stored = base_packets_ + marks_.packets;
  show();
}

// After a power cut the marks tell how much of their own segment was durable. So those of the next one have to wait
// until the one before is finished, where that much is promised.
void SegmentStore::show() {
  hidden_ = options_.fsync == Fsync::commit && finisher_ != nullptr && finisher_->done() < finishing_;
  if (!hidden_) page_.publish(marks_);
}

void SegmentStore::settle() {
  if (options_.fsync != Fsync::commit || finisher_ == nullptr) return;
  const uint64_t durable = file_.isOpen() ? finisher_->synced(marks_.segment_id) : marks_.durable_bytes;
  if (durable == marks_.durable_bytes && !hidden_) return;
  marks_.durable_bytes = durable;
  show();
  if (!hidden_) finisher_->syncMarks(page_.fd());
}

void SegmentStore::setState(CaptureState state) {
  if (marks_.state == state) return;
  marks_.state = state;
  show();
}

int SegmentStore::commit(Nanos now) {
  int result = writeLosses();
  if (file_.isOpen()) {
    if (const int written = file_.writeAll(); written != 0) return written;
    if (index_.flush() != 0) index_.abandon();
    if (options_.fsync == Fsync::commit) {
      if (const int durable = makeDurable(); durable != 0) return durable;
    }
    marks_.visible_bytes = file_.size();
    marks_.packets = packets_;
    marks_.smallest_time = smallest_;
    marks_.largest_time = largest_;
  }
  publish(now);
  if (options_.fsync == Fsync::commit && finisher_ == nullptr && ::fdatasync(page_.fd()) != 0) return -errno;
  return result;
}

bool SegmentStore::due(Nanos now) const {
  if (!file_.isOpen() || packets_ == 0) return false;
  // A clock that was set back would put off the end for as long.
  return now < opened_at_ || now - opened_at_ >= options_.segment_seconds * kNanosPerSecond;
}

int SegmentStore::seal(Nanos now) {
  if (!file_.isOpen()) return 0;
  if (!ending_) {
    const uint64_t received = received_ - received_before_;
    SegmentCounts counts{opened_at_,   now,     0, losses_.sum(), packets_ + losses_.queue + losses_.disk,
                         losses_.ring, packets_};
    counts.received = std::max(received, packets_) + losses_.sum();
    putStatistics(statistics_, counts);
    const Bytes block{statistics_, kStatisticsBytes};
    file_.add(block);
    index_.addOther(block);
    index_.release();
    ending_ = true;
  }
  if (const int result = commit(now); result != 0) return result;
  return endFile(now);
}

int SegmentStore::makeDurable() {
  if (finisher_ != nullptr) {
    // What it has done is settle()'s to show: there the marks are made durable, too.
    finisher_->sync(file_.fd(), marks_.segment_id, file_.size());
    return 0;
  }
  if (::fdatasync(file_.fd()) != 0) return -errno;
  marks_.durable_bytes = file_.size();
  return 0;
}

int SegmentStore::endFile(Nanos now) {
  if (const int result = file_.truncate(); result != 0) return result;
  if (options_.fsync != Fsync::never) log_.sync();
  CompleteSegment segment{{},
                          options_.folder,
                          marks_.segment_id,
                          file_.size(),
                          packets_ != 0 ? largest_ : now,
                          index_.complete(),
                          options_.fsync != Fsync::never};
  base_ = written();
  received_before_ = received_;
  segment.fd = file_.release();
  retention_->setOpen(path(partName(segment.id)), segment.bytes);
  publish(now);
  if (finisher_ == nullptr) return finishSegment(std::move(segment), retention_);
  finisher_->finish(std::move(segment));
  finishing_ = finisher_->taken();
  return 0;
}

uint64_t SegmentStore::abandon() {
  uint64_t lost = 0;
  if (file_.isOpen()) {
    lost = packets_ - marks_.packets;
    // What was preallocated may be the very room that the disk lacks. Where this fails, recovery cuts.
    [[maybe_unused]] const int cut = ::ftruncate(file_.fd(), static_cast<off_t>(marks_.visible_bytes));
    index_.abandon();
    file_.release();
  }
  return lost;
}

uint64_t SegmentStore::written() const {
  if (!file_.isOpen()) return base_;
  // The header and the statistics are not the caller's.
  const uint64_t blocks_end = file_.size() - (ending_ ? kStatisticsBytes : 0);
  const uint64_t upto = std::min(file_.written(), blocks_end);
  return base_ + (upto > header_.size() ? upto - header_.size() : 0);
}

}  // namespace spillway::capture
