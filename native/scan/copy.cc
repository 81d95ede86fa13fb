// The walk in place: where every record leaves as it is, it is read straight to its place in the output.
#include <algorithm>

#include "base/limits.h"
#include "scan/scan.h"

namespace spillway {

// Everything goes through, and nothing is counted against a limit: records may be read straight into the output.
bool Scan::copiesAll() const {
  const Format format = sieve_.selection().format();
  return input_.fd() >= 0 && sieve_.selection().everyTime() && sieve_.selection().everyPacket() &&
         !sieve_.selection().chosen() && !sieve_.limits.any() && format != Format::none && format != Format::records;
}

// Reads records to where they go in the output and walks them there, as long as each is to leave as it is. Leaves
// anything else, and all faults, to the walk over the input: it comes back with the position at a record boundary.
template <class Reader>
Status Scan::walkInPlace(Reader& reader, Counts* counts, uint64_t budget_end) {
  constexpr bool kIsPcap = std::is_same_v<Reader, PcapReader>;
  // Blocks with sums are taken whole, so that none is read twice.
  const uint64_t end = input_.sums() ? input_.end() : std::min(input_.end(), budget_end);
  const Format format = sieve_.selection().format();
  Output& output = sieve_.output;
  Counts c = *counts;
  Packet packet;
  Order order;
  if constexpr (!kIsPcap) order = reader.order();
  uint64_t offset = input_.offset();
  // What of a cut record is there already is not read again.
  size_t present = input_.size();
  if (present > output.room()) return Status::budget;
  if (present != 0) std::memcpy(output.tail(), input_.data(), present);
  bool going = true;
  while (going && offset < std::min(end, budget_end)) {
    const int64_t got = input_.readTo(output.tail() + present, output.room() - present, offset + present, end);
    if (got <= 0) break;
    present += static_cast<size_t>(got);
    size_t at = 0;
    const uint8_t* data = output.tail();
    while (offset + at < end) {
      Next next = Next::skipped;
      // Other blocks would change the reader, and are for the other walk.
      if (kIsPcap || present - at < 4 || order.u32(data + at) == pcapng::kEnhancedPacket)
        next = reader.next(data + at, present - at, &packet);
      if (next == Next::need_more) break;
      const Interface* interface =
          next == Next::packet ? (kIsPcap ? &reader_.pcap_interface : &reader_.pcapng.interfaces()[packet.interface])
                               : nullptr;
      const bool plain = interface && packet.verbatim == format && output.kept(packet) == packet.caplen &&
                         (kIsPcap || interface_base_ == 0) &&
                         (!kIsPcap || c.link_type_out < 0 || c.link_type_out == interface->link_type);
      if (!plain) {
        going = false;
        break;
      }
      countWritten(&c, packet, *interface, packet.caplen, true);
      countRead<kIsPcap>(&c, packet, {}, true);
      ++info_[section_first_ + packet.interface].packets;
      at += packet.record.size;
    }
    output.take(at);
    offset += at;
    present -= at;
  }
  // Where packets seldom leave as they are, trying costs more than it gives; and what is cut stays cut. A block that
  // did not fit may fit into the next output.
  const uint64_t moved = offset - input_.offset();
  if (going ? moved == 0 && !input_.sums() : moved < limits::kReadBytes) in_place_ = false;
  *counts = c;
  input_.jump(offset);
  return Status::budget;
}

template Status Scan::walkInPlace(PcapReader& reader, Counts* counts, uint64_t budget_end);
template Status Scan::walkInPlace(PcapngReader& reader, Counts* counts, uint64_t budget_end);

}  // namespace spillway
