// Small whole files that hold one of everything, for tests that cut the same file in many ways.
#pragma once
#include <string>
#include <vector>

#include "capture.h"

namespace spillway::test {

struct Sample {
  std::string name;
  Buffer bytes;
  uint64_t packets;
  bool one_link_type;  // PCAP can hold it
  bool timed;          // every packet has a time that every format can hold
};

// A few hundred to two thousand bytes each.
std::vector<Sample> samples();

// Packets of random sizes, well-formed, about `bytes` long.
Buffer largePcap(uint64_t seed, size_t bytes, const Pcap& form = {});
Buffer largePcapng(uint64_t seed, size_t bytes, const Pcapng& ng = {});

}  // namespace spillway::test
