// The one loop: source -> select -> shape -> chunk, in bounded steps. The position between two steps is a record
// boundary.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scan/refill.h"
#include "scan/sieve.h"
#include "scan/source_reader.h"

namespace spillway {

// An interface as a person wants to know it.
struct InterfaceInfo {
  Interface interface;
  std::string name;
  std::string description;
  uint64_t packets = 0;
};

class Scan {
 public:
  explicit Scan(std::shared_ptr<const Selection> selection) : sieve_(std::move(selection)) {}

  // See src/native-contract.ts. Returns false when `state` is not one that state() gave.
  bool openRange(int fd, uint64_t start, uint64_t end, Bytes state, bool resync, uint32_t interface_base,
                 std::shared_ptr<const BlockSums> sums = nullptr);
  void openStream(uint32_t interface_base);
  // Goes on with another range of the same file, all counts and sums kept. False where `state`, the reader's there, is
  // not the present one, or that is not known since a block was left out: then nothing has changed.
  bool moveTo(uint64_t start, uint64_t end, Bytes state);
  // Of the range that is open; null without.
  const BlockSums* sums() const { return input_.sums(); }
  // A stream, and no damage was met.
  bool takesFeed() const { return input_.fd() < 0 && damage_.empty(); }
  void feed(Bytes bytes, bool last) { input_.feed(bytes, last); }
  void limit(const Limits& limits) { sieve_.limits = limits; }
  // The number of the first packet in the range of those that are chosen; 0 after each open.
  void numberFrom(uint64_t number) { sieve_.number = number; }
  // Goes on with other programs; format and snap length must be the same.
  void use(std::shared_ptr<const Selection> selection) { sieve_.use(std::move(selection)); }

  Status step(uint8_t* out, size_t capacity, size_t budget);

  const Counts& counts() const { return counts_; }
  size_t outLength() const { return out_length_; }
  size_t needed() const { return needed_; }
  std::vector<uint8_t> state() const { return reader_.state(); }
  const std::string& damageText() const { return damage_; }
  Container container() const { return reader_.container; }
  uint32_t sections() const { return sections_; }
  const std::vector<InterfaceInfo>& interfaces() const { return info_; }
  const std::optional<PcapReader>& pcap() const { return reader_.pcap; }
  const PcapngReader& pcapng() const { return reader_.pcapng; }
  // Options of the first section header, little-endian, without an end mark.
  Bytes sectionOptions() const { return {section_options_.data(), section_options_.size()}; }

 private:
  void reset(uint32_t interface_base);
  bool restore(Bytes state);
  Status start();
  Status startPcap(size_t header_bytes);
  Status seek();
  bool findBoundary();
  Status walk(size_t budget);
  template <class Reader>
  Status walkWith(Reader& reader, size_t budget);
  template <class Reader>
  Status walkInPlace(Reader& reader, Counts* counts, uint64_t budget_end);
  bool copiesAll() const;
  Status other(Next next, const Packet& packet);
  Status refill() { return spillway::refill(&input_, reader_, &counts_); }
  Status damaged(std::string text);
  void nameInterface(const Interface& interface, Bytes options, Order order);

  Input input_;
  Sieve sieve_;
  Counts counts_;
  SourceReader reader_;
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
};

}  // namespace spillway
