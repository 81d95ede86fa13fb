#include "capture/shaper.h"

#include <algorithm>

#include "capture/segment_bytes.h"

namespace spillway::capture {

size_t Shaper::bound(const CapturedPacket& packet) const { return capturedBytesBound(packet); }

bool Shaper::wants(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const {
  return program_ == nullptr || program_->run(data, caplen, wirelen) != 0;
}

size_t Shaper::put(uint8_t* to, const CapturedPacket& packet) const {
  const uint32_t wirelen = packet.wholeWirelen();
  if (packet.putsTag()) {
    const uint32_t caplen = putCapturedBytes(to, packet);
    if (!wants(to + kEnhancedData, caplen, wirelen)) return 0;
    return frameCaptured(to, std::min(caplen, snap_), wirelen, packet.time);
  }
  if (!wants(packet.data, packet.caplen, wirelen)) return 0;
  CapturedPacket cut = packet;
  cut.tagged = false;
  cut.caplen = std::min(packet.caplen, snap_);
  return frameCaptured(to, putCapturedBytes(to, cut), wirelen, packet.time);
}

}  // namespace spillway::capture
