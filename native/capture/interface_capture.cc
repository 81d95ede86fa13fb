#include "capture/interface_capture.h"

#include <cstring>

#include "capture/clock.h"
#include "capture/files.h"
#include "capture/json.h"
#include "capture/segment_name.h"

namespace spillway::capture {

InterfaceCapture::InterfaceCapture(size_t position, std::unique_ptr<PacketSource> source, const Program* program)
    : position_(position), source_(std::move(source)), program_(program) {}

InterfaceCapture::~InterfaceCapture() { join(); }

Failed InterfaceCapture::prepare(const std::string& job, StoreOptions store, uint64_t queue_bytes, uint32_t snap_bytes,
                                 Retention* retention) {
  store.facts = source_->facts();
  store.facts.snap_length = snap_bytes;
  store.folder = job + "/" + interfaceFolderName(position_, name());
  if (const int result = makeFolder(store.folder, 0750); result != 0)
    return Failure{Code::folder_unusable, withErrno("the folder " + store.folder + " can't be made", -result)};
  queue_ = std::make_unique<BufferQueue>(queue_bytes);
  if (!queue_->ok()) return Failure{Code::no_memory, "no memory for the queue of " + name()};
  finisher_ = std::make_unique<Finisher>(retention, [queue = queue_.get()] { queue->nudge(); });
  store_ = std::make_unique<SegmentStore>(std::move(store), retention, finisher_.get());
  if (auto failure = store_->open(systemNow())) return failure;
  intake_ = std::make_unique<Intake>(source_.get(), Shaper(program_, snap_bytes), queue_.get(), &progress_);
  recorder_ = std::make_unique<Recorder>(queue_.get(), store_.get(), finisher_.get(), retention, &progress_);
  return std::nullopt;
}

void InterfaceCapture::startThreads() {
  writing_ = std::thread([this] { recorder_->run(); });
  reading_ = std::thread([this] { intake_->run(); });
}

Failed InterfaceCapture::start() { return source_->start(); }

void InterfaceCapture::stop(int64_t deadline_ms) {
  progress_.deadline_ms = deadline_ms;
  if (intake_) intake_->stop();
}

void InterfaceCapture::join() {
  if (reading_.joinable()) reading_.join();
  if (writing_.joinable()) writing_.join();
  finisher_.reset();
}

void InterfaceCapture::askSeal() {
  ++progress_.seals_asked;
  queue_->nudge();
}

CaptureState InterfaceCapture::state() const { return stateOf(progress_.disk_error, progress_.link); }

std::string InterfaceCapture::statusJson() const {
  Json lost;
  lost.add("ring", progress_.lost_ring.load())
      .add("queue", progress_.lost_queue.load())
      .add("disk", progress_.lost_disk.load());
  const SourceTraits traits = source_->traits();
  Json json;
  json.add("position", position_).add("name", name()).add("state", nameOf(state()));
  if (const int error = progress_.disk_error; error != 0) json.add("disk_error", std::strerror(error));
  json.add("link_type", source_->facts().link_type)
      .add("packets", progress_.packets.load())
      .add("bytes", progress_.bytes.load())
      .add("received", progress_.received.load())
      .raw("lost", lost.object())
      .add("segment_id", progress_.segment_id.load())
      .add("visible_bytes", progress_.visible_bytes.load())
      .add("durable_bytes", progress_.durable_bytes.load())
      .add("method", traits.method)
      .add("ring_bytes", traits.ring_bytes)
      .add("hardware_timestamps", traits.hardware_timestamps)
      .add("kernel_filter", traits.filters_in_kernel);
  return json.object();
}

}  // namespace spillway::capture
