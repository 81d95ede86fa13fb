// Packets from Linux: an AF_PACKET socket with a TPACKET_V3 ring (packet(7), Documentation/networking/packet_mmap).
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "capture/failure.h"
#include "capture/fd.h"
#include "capture/packet_source.h"
#include "capture/ring_block.h"
#include "capture/source_options.h"

namespace spillway::capture {

class AfPacket final : public PacketSource {
 public:
  // Opens the interface: needs CAP_NET_RAW (and CAP_NET_ADMIN for hardware timestamps). What comes later needs no
  // privilege.
  static Failed open(const SourceOptions& options, std::unique_ptr<PacketSource>* source);
  ~AfPacket() override;

  Failed start() override;
  size_t take(CapturedPacket* to, size_t max, int timeout_ms) override;
  void wake() override;
  uint64_t takeLost() override;
  Link link() override;
  void closeIntake() override;
  bool drained() override;
  const InterfaceFacts& facts() const override { return facts_; }
  SourceTraits traits() const override { return {"af_packet", ring_size_, hardware_timestamps_, filters_in_kernel_}; }

 private:
  AfPacket() = default;
  Failed setFilter(const SourceOptions& options);
  Failed mapRing(uint64_t bytes);
  bool bindTo(int index);
  // Hands the block that was walked back to the kernel and begins the next one, if it is ours.
  bool nextBlock();
  uint8_t* block(size_t index) const;

  Fd socket_;
  Fd wake_;
  uint8_t* ring_ = nullptr;
  uint64_t ring_size_ = 0;
  size_t blocks_ = 0;
  size_t current_ = 0;
  bool holds_ = false;  // the current block is ours and being walked
  RingBlock walk_;
  InterfaceFacts facts_;
  int hardware_type_ = 0;
  bool promiscuous_ = true;
  bool hardware_timestamps_ = false;
  bool filters_in_kernel_ = false;
  int64_t closed_at_ms_ = 0;  // on the steady clock
};

}  // namespace spillway::capture
