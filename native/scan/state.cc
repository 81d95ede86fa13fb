#include "scan/state.h"

#include "base/limits.h"

namespace spillway {
namespace {

void put8(std::vector<uint8_t>* to, uint8_t v) { to->push_back(v); }
void put32(std::vector<uint8_t>* to, uint32_t v) {
  to->resize(to->size() + 4);
  store32(to->data() + to->size() - 4, v);
}
void put64(std::vector<uint8_t>* to, uint64_t v) {
  to->resize(to->size() + 8);
  store64(to->data() + to->size() - 8, v);
}

}  // namespace

std::vector<uint8_t> encodeState(const ReaderState& state) {
  std::vector<uint8_t> to;
  if (state.container == Container::unknown) return to;  // the start of a source
  put8(&to, static_cast<uint8_t>(state.container));
  if (state.container == Container::pcap) {
    const PcapReader::Header& h = state.pcap;
    put8(&to, static_cast<uint8_t>((h.swapped ? 1 : 0) | (h.nanos ? 2 : 0) | (h.modified ? 4 : 0)));
    put32(&to, h.version_major);
    put32(&to, h.version_minor);
    put32(&to, h.snap_length);
    put32(&to, h.link_type);
    return to;
  }
  put8(&to, state.swapped ? 1 : 0);
  put32(&to, static_cast<uint32_t>(state.interfaces.size()));
  for (const Interface& i : state.interfaces) {
    put32(&to, i.link_type);
    put32(&to, i.snap_length);
    put8(&to, i.resolution.binary ? 1 : 0);
    put8(&to, i.resolution.exponent);
    put64(&to, static_cast<uint64_t>(i.offset_seconds));
  }
  return to;
}

bool decodeState(Bytes bytes, ReaderState* state) {
  Cursor in(bytes);
  const uint8_t container = in.u8();
  const uint8_t flags = in.u8();
  if (container == static_cast<uint8_t>(Container::pcap)) {
    state->container = Container::pcap;
    PcapReader::Header& h = state->pcap;
    h.swapped = (flags & 1) != 0;
    h.nanos = (flags & 2) != 0;
    h.modified = (flags & 4) != 0;
    h.version_major = static_cast<uint16_t>(in.u32());
    h.version_minor = static_cast<uint16_t>(in.u32());
    h.snap_length = in.u32();
    h.link_type = in.u32();
    return in.ok() && in.left() == 0;
  }
  if (container != static_cast<uint8_t>(Container::pcapng)) return false;
  state->container = Container::pcapng;
  state->swapped = (flags & 1) != 0;
  const uint32_t count = in.u32();
  if (!in.ok() || count > limits::kMaxInterfaces) return false;
  for (uint32_t n = 0; n < count && in.ok(); ++n) {
    Interface i;
    i.link_type = in.u32();
    i.snap_length = in.u32();
    i.resolution.binary = in.u8() != 0;
    i.resolution.exponent = in.u8() & 0x7f;
    i.offset_seconds = static_cast<int64_t>(in.u64());
    state->interfaces.push_back(i);
  }
  return in.ok() && in.left() == 0;
}

}  // namespace spillway
