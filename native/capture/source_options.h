// What a packet source is opened with.
#pragma once
#include <string>

#include "base/bytes.h"

namespace spillway::capture {

struct SourceOptions {
  std::string interface;
  uint64_t ring_bytes = 0;
  bool hardware_timestamps = false;
  bool promiscuous = true;
  bool libpcap = false;  // by libpcap, also where AF_PACKET would do
  Bytes program;         // the job's, verified, for Ethernet; empty: none
};

}  // namespace spillway::capture
