#include "scan/source_reader.h"

#include "scan/state.h"

namespace spillway {

Next SourceReader::start(Bytes bytes, size_t* used, std::string* damage) {
  *used = 0;
  if (bytes.size < 4) return Next::need_more;
  if (PcapngReader::recognises(bytes)) {
    container = Container::pcapng;
    return Next::section;
  }
  if (!PcapReader::recognises(bytes)) {
    *damage = "not a capture file: it begins with neither a pcap nor a PCAPNG magic number";
    return Next::damage;
  }
  PcapReader::Header header;
  const Next next = PcapReader::readHeader(bytes, &header, damage);
  if (next != Next::section) return next;
  pcap_interface = {};
  pcap_interface.link_type = header.link_type;
  pcap_interface.snap_length = header.snap_length;
  if (header.nanos) pcap_interface.resolution.exponent = 9;
  pcap.emplace(header);
  container = Container::pcap;
  *used = pcap::kFileHeaderBytes;
  return Next::section;
}

std::vector<uint8_t> SourceReader::state() const {
  ReaderState state;
  state.container = container;
  if (pcap) state.pcap = pcap->header();
  state.swapped = pcapng.swapped();
  state.interfaces = pcapng.interfaces();
  return encodeState(state);
}

bool SourceReader::restore(Bytes bytes) {
  ReaderState state;
  if (!decodeState(bytes, &state)) return false;
  container = state.container;
  if (container == Container::pcap) {
    pcap.emplace(state.pcap);
    pcap_interface.link_type = state.pcap.link_type;
    pcap_interface.snap_length = state.pcap.snap_length;
  } else {
    pcapng.restore(state.swapped, state.interfaces);
  }
  return true;
}

std::string SourceReader::endDamage(const Input& input) const {
  const size_t left = input.size();
  if (container == Container::unknown) return left == 0 ? "the file is empty" : "the file ends inside its header";
  if (left == 0 && input.missing() == 0) return {};
  if (left == 0) return "the file ends " + std::to_string(input.missing()) + " bytes before it should";
  return container == Container::pcap ? "the file ends inside a packet" : "the file ends inside a block";
}

std::string SourceReader::damageText() const {
  return container == Container::pcap ? pcap->damageText() : pcapng.damageText();
}

}  // namespace spillway
