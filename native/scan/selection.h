// What a scan is told to do: which packets pass and what shape they leave in. Immutable once made.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "filter/program.h"
#include "format/packet.h"

namespace spillway {

// [start, end), nanoseconds. The largest time as an end means that there is none: packets of that time are in.
struct Window {
  Nanos start;
  Nanos end;
  bool endsBefore(Nanos time) const { return end <= time && end != kNanosMax; }
};

// Which packets of a range pass, told beforehand by their numbers: from 0 on, in the order of the output.
struct Chosen {
  std::vector<Window> range;  // one at most; none: every time, also packets without one
  std::vector<uint8_t> bits;  // of packet n: bit n % 8 of byte n / 8; beyond them: none
  bool counts(bool timed, Nanos time) const {
    if (range.empty()) return true;
    return timed && range[0].start <= time && !range[0].endsBefore(time);
  }
  bool has(uint64_t number) const { return number / 8 < bits.size() && (bits[number / 8] >> (number % 8) & 1) != 0; }
};

class Selection {
 public:
  // One filter: a program for each link type it was compiled for.
  using Filter = std::vector<std::pair<uint32_t, std::unique_ptr<const Program>>>;
  using Chain = std::vector<const Program*>;

  // `windows` are sorted and disjoint; none: every time.
  // `interface_comment`: UTF-8, at most 65,535 bytes, that PCAPNG output says of every interface; empty: nothing.
  // `chosen`: only those packets pass, where they also pass the filters.
  Selection(Format format, uint32_t snap_length, std::vector<Window> windows, std::vector<Filter> filters,
            std::string interface_comment = {}, std::optional<Chosen> chosen = {})
      : format_(format),
        snap_length_(snap_length),
        windows_(std::move(windows)),
        filters_(std::move(filters)),
        interface_comment_(std::move(interface_comment)),
        chosen_(std::move(chosen)) {}

  Format format() const { return format_; }
  // Bytes kept of a packet; 0: all.
  uint32_t snapLength() const { return snap_length_; }
  Bytes interfaceComment() const {
    return {reinterpret_cast<const uint8_t*>(interface_comment_.data()), interface_comment_.size()};
  }
  bool everyTime() const { return windows_.empty(); }
  bool everyPacket() const { return filters_.empty(); }
  // Null: every packet is. Packets are numbered over a whole export, so scans with it follow one another.
  const Chosen* chosen() const { return chosen_ ? &*chosen_ : nullptr; }

  bool inWindows(Nanos time) const {
    size_t low = 0, high = windows_.size();
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (windows_[middle].endsBefore(time)) low = middle + 1;
      else high = middle;
    }
    return low < windows_.size() && windows_[low].start <= time;
  }

  // The programs a packet of this link type must pass, all of them. False when a filter has none for it.
  bool chainFor(uint32_t link_type, Chain* chain) const;

 private:
  Format format_;
  uint32_t snap_length_;
  std::vector<Window> windows_;
  std::vector<Filter> filters_;
  std::string interface_comment_;
  std::optional<Chosen> chosen_;
};

}  // namespace spillway
