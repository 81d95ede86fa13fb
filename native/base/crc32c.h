// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78; RFC 3720 appendix B.4 gives test vectors).
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway {

// The checksum of `data` following bytes whose checksum was `before` (0 for none).
uint32_t crc32c(const uint8_t* data, size_t size, uint32_t before = 0);

// The same without the processor's instruction: the reference the tests compare with.
uint32_t crc32cPortable(const uint8_t* data, size_t size, uint32_t before = 0);

// The checksum of A followed by B, from those of A and B and the length of B in bytes.
uint32_t crc32cCombine(uint32_t a, uint32_t b, uint64_t lengthB);

}  // namespace spillway
