// A source of numbered packets, as many and as fast as a test says, with a ring of its own that overflows.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "capture/folder.h"
#include "capture/packet_source.h"

namespace spillway::test {

class FakeSource final : public capture::PacketSource {
 public:
  explicit FakeSource(size_t ring_packets) : ring_packets_(ring_packets) {}

  // The wire's side. False where the packet was lost.
  bool send(uint32_t number, size_t size = 60) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (ring_.size() >= ring_packets_) {
      ++lost_;
      return false;
    }
    ring_.push_back({numbered(number, size), 1'000'000 + number + clock_});
    came_.notify_one();
    return true;
  }
  // Added to the times of the packets sent from now on.
  void setClock(Nanos offset) {
    const std::lock_guard lock(mutex_);
    clock_ = offset;
  }
  void setLink(capture::Link link) {
    const std::lock_guard lock(mutex_);
    link_ = link;
  }

  capture::Failed start() override { return std::nullopt; }
  const capture::InterfaceFacts& facts() const override { return facts_; }
  capture::SourceTraits traits() const override { return {"fake", 0, false, false}; }
  size_t take(capture::CapturedPacket* to, size_t max, int timeout_ms) override {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return !ring_.empty() || woken_; });
    woken_ = false;
    given_.clear();
    while (!ring_.empty() && given_.size() < max) {
      given_.push_back(std::move(ring_.front()));
      ring_.pop_front();
    }
    for (size_t i = 0; i < given_.size(); ++i) {
      to[i] = {};
      to[i].data = given_[i].data.data();
      to[i].caplen = to[i].wirelen = static_cast<uint32_t>(given_[i].data.size());
      to[i].time = given_[i].time;
    }
    return given_.size();
  }
  void wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    came_.notify_one();
  }
  uint64_t takeLost() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(lost_, 0);
  }
  capture::Link link() override {
    const std::lock_guard lock(mutex_);
    return link_;
  }
  void closeIntake() override {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  bool drained() override {
    const std::lock_guard lock(mutex_);
    return ring_.empty();
  }

 private:
  capture::InterfaceFacts facts_;
  struct Sent {
    Buffer data;
    Nanos time;
  };
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Sent> ring_;
  std::deque<Sent> given_;
  Nanos clock_ = 0;
  size_t ring_packets_;
  uint64_t lost_ = 0;
  capture::Link link_ = capture::Link::up;
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace spillway::test
