// The one loop: source -> select -> shape -> chunk, in bounded steps. The position between two steps is a record
// boundary.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/pcap_reader.h"
#include "format/pcapng_reader.h"
#include "scan/counts.h"
#include "scan/input.h"
#include "scan/output.h"
#include "scan/selection.h"

namespace spillway {

// The numbers are those of ScanStatus in src/native.d.ts.
enum class Status : uint32_t {
  budget = 0,
  done = 1,
  output_full = 2,
  limit = 3,
  need_program = 4,
  damage = 5,
  mixed_link_types = 6,
  time_range = 7,
  io_error = 8,
  need_input = 9,
  no_boundary = 10,
};

// Which stop rule ended a scan.
enum class Rule : uint8_t { none = 0, packets = 1, captured_bytes = 2, duration = 3 };

// What is left of the stop rules; nothing: no rule.
struct Limits {
  std::optional<uint64_t> packets;
  std::optional<uint64_t> captured_bytes;
  std::optional<int64_t> duration;  // nanoseconds from `first_time`, or from the first packet written
  std::optional<Nanos> first_time;
  bool any() const { return packets || captured_bytes || duration; }
  // The rule that writing `keep` bytes of this packet would break.
  Rule broken(uint32_t keep, const Packet& packet) const {
    if (packets && *packets == 0) return Rule::packets;
    if (captured_bytes && *captured_bytes < keep) return Rule::captured_bytes;
    if (duration && first_time && packet.has_time && static_cast<Int128>(packet.time) - *first_time >= *duration)
      return Rule::duration;
    return Rule::none;
  }
};

// An interface as a person wants to know it.
struct InterfaceInfo {
  Interface interface;
  std::string name;
  std::string description;
  uint64_t packets = 0;
};

class Scan {
 public:
  explicit Scan(std::shared_ptr<const Selection> selection) : selection_(std::move(selection)) {}

  // See src/native.d.ts. Returns false when `state` is not one that state() gave.
  bool openRange(int fd, uint64_t start, uint64_t end, Bytes state, bool resync, uint32_t interface_base);
  void openStream(uint32_t interface_base);
  // Goes on with another range of the same file, all counts kept. False where `state`, the reader's there, is not the
  // present one: then nothing has changed.
  bool moveTo(uint64_t start, uint64_t end, Bytes state);
  // A stream, and no damage was met.
  bool takesFeed() const { return input_.fd() < 0 && damage_.empty(); }
  void feed(Bytes bytes, bool last) { input_.feed(bytes, last); }
  void limit(const Limits& limits) { limits_ = limits; }
  // Goes on with other programs; format and snap length must be the same.
  void use(std::shared_ptr<const Selection> selection) {
    selection_ = std::move(selection);
    chain_link_type_ = -1;
  }

  Status step(uint8_t* out, size_t capacity, size_t budget);

  const Counts& counts() const { return counts_; }
  size_t outLength() const { return out_length_; }
  size_t needed() const { return needed_; }
  std::vector<uint8_t> state() const;
  const std::string& damageText() const { return damage_; }
  Container container() const { return container_; }
  uint32_t sections() const { return sections_; }
  const std::vector<InterfaceInfo>& interfaces() const { return info_; }
  const std::optional<PcapReader>& pcap() const { return pcap_; }
  const PcapngReader& pcapng() const { return pcapng_; }
  // Options of the first section header, little-endian, without an end mark.
  Bytes sectionOptions() const { return {section_options_.data(), section_options_.size()}; }

 private:
  void reset(uint32_t interface_base);
  bool restore(Bytes state);
  Status start();
  Status startPcap();
  Status seek();
  bool findBoundary();
  Status walk(size_t budget);
  template <class Reader>
  Status walkWith(Reader& reader, size_t budget);
  template <class Reader>
  Status walkInPlace(Reader& reader, Counts* counts, uint64_t budget_end);
  bool copiesAll() const;
  Status other(Next next, const Packet& packet);
  Status refill();
  Status damaged(std::string text);
  void nameInterface(const Interface& interface, Bytes options, Order order);

  std::shared_ptr<const Selection> selection_;
  Input input_;
  Output output_;
  Limits limits_;
  Counts counts_;
  Container container_ = Container::unknown;
  std::optional<PcapReader> pcap_;
  Interface pcap_interface_;
  PcapngReader pcapng_;
  std::vector<InterfaceInfo> info_;
  uint32_t section_first_ = 0;   // index in info_ of the section's first interface
  uint32_t interface_base_ = 0;  // interfaces of the output before the section's first
  uint32_t sections_ = 0;
  bool seek_pending_ = false;
  bool in_place_ = false;  // records may be read straight into the output
  std::vector<uint8_t> section_options_;
  std::string damage_;
  size_t out_length_ = 0;
  size_t needed_ = 0;
  // The programs for the link type of the last packet, where `chain_link_type_` is one.
  Selection::Chain chain_;
  int64_t chain_link_type_ = -1;
};

}  // namespace spillway
