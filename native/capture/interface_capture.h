// The capture on one interface: its source, its store, and the two threads between them.
#pragma once
#include <memory>
#include <string>
#include <thread>

#include "capture/intake.h"
#include "capture/recorder.h"

namespace spillway::capture {

class InterfaceCapture {
 public:
  // `program` is borrowed and may be null.
  InterfaceCapture(size_t position, std::unique_ptr<PacketSource> source, const Program* program);
  ~InterfaceCapture();

  // Makes folder and buffers. `store`: its folder, facts and limits are filled in here.
  Failed prepare(const std::string& job, StoreOptions store, uint64_t queue_bytes, uint32_t snap_bytes,
                 Retention* retention);
  // Starts the threads, which wait for start().
  void startThreads();
  // Packets are taken from now on.
  Failed start();
  // Stops taking packets; what was taken is written until `deadline_ms` of the steady clock at most.
  void stop(int64_t deadline_ms);
  void join();

  // Asks for a seal of what is open; sealed() tells when all that was asked for is done.
  void askSeal();
  bool sealed() const { return progress_.seals_done == progress_.seals_asked; }

  const std::string& name() const { return source_->facts().name; }
  CaptureState state() const;
  int diskError() const { return progress_.disk_error; }
  std::string statusJson() const;

 private:
  size_t position_;
  std::unique_ptr<PacketSource> source_;
  const Program* program_;
  Progress progress_;
  std::unique_ptr<BufferQueue> queue_;
  std::unique_ptr<Finisher> finisher_;
  std::unique_ptr<SegmentStore> store_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Recorder> recorder_;
  std::thread reading_;
  std::thread writing_;
};

}  // namespace spillway::capture
