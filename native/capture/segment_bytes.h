// The bytes of a segment: an ordinary PCAPNG file of one section and one interface, times in nanoseconds.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "capture/captured.h"

namespace spillway::capture {

// What an interface description tells.
struct InterfaceFacts {
  std::string name;
  uint32_t link_type = 1;
  uint32_t snap_length = 0;  // bytes
  std::array<uint8_t, 6> mac{};
  bool has_mac = false;
};

// Section header and interface description. `application`: the program that writes, with its version.
std::vector<uint8_t> segmentHeader(const InterfaceFacts& facts, std::string_view application);

// Of one segment. `received`: what the kernel had for us in that time; dropped: what of it was lost anywhere, of that
// `os_dropped` before it reached us; `accepted` is what the job's filter wanted of what reached us.
struct SegmentCounts {
  Nanos start = 0;
  Nanos end = 0;
  uint64_t received = 0;
  uint64_t dropped = 0;
  uint64_t accepted = 0;
  uint64_t os_dropped = 0;
  uint64_t delivered = 0;
};

// An interface statistics block; always of this size.
constexpr size_t kStatisticsBytes = 112;
void putStatistics(uint8_t* to, const SegmentCounts& counts);

// Statistics that tell nothing but that packets stood there, in exactly so many bytes: a multiple of four, at least
// kMinFillerBytes.
constexpr size_t kMinFillerBytes = 24;
void putFiller(uint8_t* to, size_t bytes, Nanos time);

// Bounds the block that putCaptured writes before it is cut.
size_t capturedBytesBound(const CapturedPacket& packet);

// Writes the packet's bytes, with its VLAN tag back in place where the kernel took it out, behind room for the fixed
// part of a block at `to`. The bytes are then at to + kEnhancedData; returns their number.
constexpr size_t kEnhancedData = 28;
uint32_t putCapturedBytes(uint8_t* to, const CapturedPacket& packet);

// Makes an enhanced packet block of the first `keep` bytes that lie at to + kEnhancedData. Returns its size.
size_t frameCaptured(uint8_t* to, uint32_t keep, uint32_t wirelen, Nanos time);

}  // namespace spillway::capture
