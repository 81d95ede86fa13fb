// A packet as a source gives it.
#pragma once
#include <cstdint>

#include "base/time.h"

namespace spillway::capture {

// Bytes of a VLAN tag, and where in an Ethernet frame it stands.
constexpr uint32_t kTagBytes = 4;
constexpr uint32_t kTagOffset = 12;

struct CapturedPacket {
  const uint8_t* data = nullptr;  // the source's, until its next take()
  uint32_t caplen = 0;            // bytes at `data`
  uint32_t wirelen = 0;           // on the wire, without a tag that was taken out
  Nanos time = 0;
  // The kernel took a VLAN tag out of the frame: tag protocol and control information, to be put back.
  bool tagged = false;
  uint16_t tag_protocol = 0;
  uint16_t tag_control = 0;
  bool outgoing = false;  // sent by this machine

  // A frame that was cut within its addresses has no place for the tag.
  bool putsTag() const { return tagged && caplen >= kTagOffset; }
  uint32_t wholeCaplen() const { return caplen + (putsTag() ? kTagBytes : 0); }
  uint32_t wholeWirelen() const { return wirelen + (putsTag() ? kTagBytes : 0); }
};

}  // namespace spillway::capture
