// Polynomials modulo that of CRC-32C, bits reflected: x^0 is the top bit.
#pragma once
#include <cstdint>

namespace spillway::crc32c_math {

constexpr uint32_t kPolynomial = 0x82f63b78u;
constexpr uint32_t kOne = 1u << 31;

constexpr uint32_t timesX(uint32_t a) { return (a >> 1) ^ ((a & 1) ? kPolynomial : 0); }

constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = kOne; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = timesX(b);
  }
  return product;
}

// x^n.
constexpr uint32_t powerOfX(uint64_t n) {
  uint32_t power = kOne;
  uint32_t square = timesX(kOne);
  for (; n != 0; n >>= 1) {
    if (n & 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

// What `bytes` more bytes multiply a checksum by.
constexpr uint32_t shiftFactor(uint64_t bytes) { return powerOfX(8 * bytes); }

}  // namespace spillway::crc32c_math
