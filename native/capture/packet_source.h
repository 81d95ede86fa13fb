// Where packets come from: the seam between the capture and a system's way to give packets.
#pragma once
#include <cstddef>
#include <cstdint>

#include "capture/captured.h"
#include "capture/failure.h"
#include "capture/segment_bytes.h"

namespace spillway::capture {

enum class Link : uint8_t {
  up,
  down,  // the interface is there and switched off
  gone,  // there is no such interface
};

// How it takes packets, for who asks.
struct SourceTraits {
  const char* method;        // "af_packet", "libpcap"
  uint64_t ring_bytes;       // of the kernel's memory that packets wait in
  bool hardware_timestamps;  // the times are the adapter's
  bool filters_in_kernel;    // the kernel runs (a widening of) the job's program; else it hands over everything
};

// Used by one thread. It never fails: an interface that goes away is looked for until it is back.
class PacketSource {
 public:
  virtual ~PacketSource() = default;

  // Packets come from the moment this returns. What was needed to open it may be given up before.
  virtual Failed start() = 0;

  // Waits up to `timeout_ms` for packets, or until wake(). Returns how many of at most `max` it gave; they are valid
  // until the next call.
  virtual size_t take(CapturedPacket* to, size_t max, int timeout_ms) = 0;

  // Ends a wait in take(), from any thread.
  virtual void wake() = 0;

  // Packets lost before they could be taken, since the last call.
  virtual uint64_t takeLost() = 0;

  // The state of the interface now. An interface that is back is joined again.
  virtual Link link() = 0;

  // Nothing enters from now on. What has entered is still to be taken, up to the moment that drained() is true.
  virtual void closeIntake() = 0;
  virtual bool drained() = 0;

  // Name, link type and MAC address as they were when it was opened; the snap length is the job's and left 0.
  virtual const InterfaceFacts& facts() const = 0;
  virtual SourceTraits traits() const = 0;
};

}  // namespace spillway::capture
