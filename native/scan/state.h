// A reader's state at a record boundary as bytes (none at the start of a source), so that another scan can go on from
// there. Equal states have equal bytes. They pass between threads of one process only, yet are read with bounds checks.
#pragma once
#include <cstdint>
#include <vector>

#include "format/packet.h"
#include "format/pcap_reader.h"

namespace spillway {

struct ReaderState {
  Container container = Container::unknown;
  PcapReader::Header pcap;  // pcap
  bool swapped = false;     // pcapng
  std::vector<Interface> interfaces;
};

std::vector<uint8_t> encodeState(const ReaderState& state);
// False where the bytes are no state.
bool decodeState(Bytes bytes, ReaderState* state);

}  // namespace spillway
