// Packets from libpcap's live capture (pcap(3PCAP)), loaded at run time.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "capture/failure.h"
#include "capture/fd.h"
#include "capture/packet_source.h"
#include "capture/source_options.h"

namespace spillway::capture {

struct Libpcap;

// LINKTYPE numbers (tcpdump.org/linktypes) by those that libpcap has on this system (DLT_*): they differ for a few old
// ones.
uint32_t linkTypeOfDlt(int dlt);

// Its packets are copied once more than those of AF_PACKET, and its filter is not run in the kernel. An interface that
// was removed is gone for good: joining another takes rights that a capture has given up.
class PcapSource final : public PacketSource {
 public:
  static Failed open(const SourceOptions& options, std::unique_ptr<PacketSource>* source);
  ~PcapSource() override;

  Failed start() override;
  size_t take(CapturedPacket* to, size_t max, int timeout_ms) override;
  void wake() override;
  uint64_t takeLost() override;
  Link link() override;
  void closeIntake() override;
  bool drained() override;
  const InterfaceFacts& facts() const override { return facts_; }
  SourceTraits traits() const override;

 private:
  struct Handler;
  PcapSource() = default;
  Failed activate(const SourceOptions& options);
  // Asks libpcap for packets, without waiting. False: there were none.
  bool dispatch();
  uint64_t dropped();

  const Libpcap* library_ = nullptr;
  void* handle_ = nullptr;  // pcap_t
  int selectable_ = -1;     // belongs to the handle; -1: can't be waited on
  Fd wake_;
  Fd asking_;  // for the state of the interface
  InterfaceFacts facts_;
  uint64_t ring_bytes_ = 0;
  int64_t unit_nanos_ = 1;  // of the fraction in its headers
  bool is_interface_ = true;
  bool broken_ = false;

  // What came in the last dispatch: libpcap's bytes are gone when it returns.
  std::vector<uint8_t> bytes_;
  std::vector<CapturedPacket> packets_;  // `data` is an offset until all are there
  size_t given_ = 0;
  bool was_full_ = false;

  uint64_t drops_seen_ = 0;
  Nanos started_at_ = 0;
  Nanos closed_at_ = kNanosMax;
  int64_t closed_at_ms_ = 0;  // on the steady clock
};

}  // namespace spillway::capture
