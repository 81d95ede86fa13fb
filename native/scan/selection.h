// What a scan is told to do: which packets pass and what shape they leave in. Immutable once made.
#pragma once
#include <memory>
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

class Selection {
 public:
  // One filter: a program for each link type it was compiled for.
  using Filter = std::vector<std::pair<uint32_t, std::unique_ptr<const Program>>>;
  using Chain = std::vector<const Program*>;

  // `windows` are sorted and disjoint; none: every time.
  // `interface_comment`: UTF-8, at most 65,535 bytes, that PCAPNG output says of every interface; empty: nothing.
  Selection(Format format, uint32_t snap_length, std::vector<Window> windows, std::vector<Filter> filters,
            std::string interface_comment = {})
      : format_(format),
        snap_length_(snap_length),
        windows_(std::move(windows)),
        filters_(std::move(filters)),
        interface_comment_(std::move(interface_comment)) {}

  Format format() const { return format_; }
  // Bytes kept of a packet; 0: all.
  uint32_t snapLength() const { return snap_length_; }
  Bytes interfaceComment() const {
    return {reinterpret_cast<const uint8_t*>(interface_comment_.data()), interface_comment_.size()};
  }
  bool everyTime() const { return windows_.empty(); }
  bool everyPacket() const { return filters_.empty(); }

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
};

}  // namespace spillway
