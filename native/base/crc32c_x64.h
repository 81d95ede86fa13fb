// CRC-32C with the instructions of x86-64 processors. Which of them there are is for the caller to know: crc32c does.
#pragma once
#if defined(__x86_64__)
#include <cstddef>
#include <cstdint>

namespace spillway {

// SSE4.2's crc32: 8 bytes a cycle.
bool hasCrc32Instruction();
uint32_t crc32cByInstruction(const uint8_t* data, size_t size, uint32_t before);

// The same, while another part of the bytes is folded with carry-less products of 256 bits (AVX2, VPCLMULQDQ): half as
// fast again.
bool hasWideProducts();
uint32_t crc32cByProducts(const uint8_t* data, size_t size, uint32_t before);

}  // namespace spillway
#endif
