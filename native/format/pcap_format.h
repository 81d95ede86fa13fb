// The pcap file format: draft-ietf-opsawg-pcap, and libpcap's sf-pcap.c for what files in the wild do.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway::pcap {

constexpr uint32_t kMagicMicros = 0xa1b2c3d4;
constexpr uint32_t kMagicNanos = 0xa1b23c4d;
// Alexey Kuznetzov's modified format: eight more bytes in each record header.
constexpr uint32_t kMagicModified = 0xa1b2cd34;

constexpr size_t kFileHeaderBytes = 24;
constexpr size_t kRecordHeaderBytes = 16;
constexpr size_t kModifiedRecordHeaderBytes = 24;

constexpr uint16_t kVersionMajor = 2;
constexpr uint16_t kVersionMinor = 4;

}  // namespace spillway::pcap
