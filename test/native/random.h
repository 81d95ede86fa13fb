// Random numbers that are the same on every machine: splitmix64.
#pragma once
#include <cstdint>

#include "buffer.h"

namespace spillway::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 .. bound - 1.
  uint64_t below(uint64_t bound) { return next() % bound; }
  Buffer bytes(size_t size) {
    Buffer to(size);
    for (uint8_t& byte : to) byte = static_cast<uint8_t>(next());
    return to;
  }

 private:
  uint64_t state_;
};

}  // namespace spillway::test
