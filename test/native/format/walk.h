// Reads a PCAPNG file block by block, each block of the rest in a heap block of just its size.
#pragma once
#include <vector>

#include "buffer.h"
#include "format/pcapng_reader.h"

namespace spillway::test {

struct Walked {
  explicit Walked(const Buffer& file, PcapngReader from = {}) : reader(std::move(from)), bytes(file) {
    for (;;) {
      Packet packet;
      end = reader.next(bytes.data() + at, bytes.size() - at, &packet);
      if (end == Next::need_more || end == Next::damage) return;
      kinds.push_back(end);
      if (end == Next::packet) {
        packets.push_back(packet);
        link_types.push_back(reader.interfaces()[packet.interface].link_type);
      }
      at += packet.record.size;
    }
  }

  PcapngReader reader;
  Exact bytes;  // what the packets point into
  size_t at = 0;
  std::vector<Next> kinds;
  std::vector<Packet> packets;
  std::vector<uint32_t> link_types;  // of the packets
  Next end = Next::need_more;
};

}  // namespace spillway::test
