// Where packets come from: the seam between the capture and a system's way to give packets.
#pragma once
#include <cstddef>
#include <cstdint>

#include "capture/captured.h"

namespace spillway::capture {

enum class Link : uint8_t {
  up,
  down,  // the interface is there and switched off
  gone,  // there is no such interface
};

// Used by one thread. It never fails: an interface that goes away is looked for until it is back.
class PacketSource {
 public:
  virtual ~PacketSource() = default;

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
};

}  // namespace spillway::capture
