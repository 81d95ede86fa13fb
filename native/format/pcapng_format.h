// The PCAPNG file format: draft-ietf-opsawg-pcapng (section numbers below are its).
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway::pcapng {

// Block types, section 11.1.
constexpr uint32_t kSectionHeader = 0x0a0d0d0a;  // the same in both byte orders
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kObsoletePacket = 2;
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kNameResolution = 4;
constexpr uint32_t kInterfaceStatistics = 5;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;

// Bytes of a block around its body, and the fixed parts of bodies.
constexpr uint32_t kBlockOverhead = 12;
constexpr uint32_t kSectionBody = 16;
constexpr uint32_t kInterfaceBody = 8;
constexpr uint32_t kEnhancedBody = 20;
constexpr uint32_t kSimpleBody = 4;
constexpr uint32_t kStatisticsBody = 12;

// Options of all blocks, section 3.5.
constexpr uint16_t kEndOfOptions = 0;
constexpr uint16_t kComment = 1;
constexpr uint16_t kCustomText = 2988;
constexpr uint16_t kCustomBytes = 2989;
constexpr uint16_t kCustomTextNoCopy = 19372;
constexpr uint16_t kCustomBytesNoCopy = 19373;

// Options of an interface description, section 4.2.
constexpr uint16_t kIfName = 2;
constexpr uint16_t kIfDescription = 3;
constexpr uint16_t kIfSpeed = 8;
constexpr uint16_t kIfResolution = 9;
constexpr uint16_t kIfTimeZone = 10;
constexpr uint16_t kIfOffset = 14;
constexpr uint16_t kIfTxSpeed = 16;
constexpr uint16_t kIfRxSpeed = 17;

// Options of an enhanced packet, section 4.3.
constexpr uint16_t kPacketFlags = 2;
constexpr uint16_t kPacketDropCount = 4;
constexpr uint16_t kPacketId = 5;
constexpr uint16_t kPacketQueue = 6;

// Options of interface statistics, section 4.6.
constexpr uint16_t kStatisticsStart = 2;
constexpr uint16_t kStatisticsEnd = 3;
constexpr uint16_t kStatisticsReceived = 4;
constexpr uint16_t kStatisticsDropped = 5;
constexpr uint16_t kStatisticsAccepted = 6;
constexpr uint16_t kStatisticsOsDropped = 7;
constexpr uint16_t kStatisticsDelivered = 8;

}  // namespace spillway::pcapng
