// The reader of a capture file, whichever format it has: what the file begins with, and the state at a record boundary.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "format/pcap_reader.h"
#include "format/pcapng_reader.h"
#include "scan/input.h"

namespace spillway {

struct SourceReader {
  Container container = Container::unknown;
  std::optional<PcapReader> pcap;
  Interface pcap_interface;  // the one that a pcap file is
  PcapngReader pcapng;

  // Tells the format from `bytes`, all that are there, and reads a pcap file's header. `section`: the format is known,
  // and the file's records or blocks begin `used` bytes on. Otherwise need_more, or damage with a sentence.
  Next start(Bytes bytes, size_t* used, std::string* damage);

  // The state as bytes (scan/state.h), and back; false where they are none.
  std::vector<uint8_t> state() const;
  bool restore(Bytes bytes);

  // Interfaces of the present section; a pcap file is one.
  size_t interfaceCount() const { return pcap ? 1 : pcapng.interfaces().size(); }

  // What is wrong where `input` has no more than the bytes present, which are no whole record. Empty: nothing, it just
  // ends.
  std::string endDamage(const Input& input) const;
  // What is wrong where the reader says `damage`.
  std::string damageText() const;
};

}  // namespace spillway
