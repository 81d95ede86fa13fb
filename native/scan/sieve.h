// What becomes of a packet: windows, filters, stop rules, output, counts. One sieve serves a whole scan, or all sources
// of a merge.
#pragma once
#include <memory>
#include <optional>

#include "scan/counts.h"
#include "scan/output.h"
#include "scan/selection.h"
#include "scan/status.h"

namespace spillway {

// What is left of the stop rules; nothing: no rule.
struct Limits {
  std::optional<uint64_t> packets;
  std::optional<uint64_t> captured_bytes;
  std::optional<int64_t> duration;  // nanoseconds from `first_time`, or from the first packet written
  std::optional<Nanos> first_time;
  bool any() const { return packets || captured_bytes || duration; }
  // No packet may follow.
  bool spent() const { return packets && *packets == 0; }
  // The rule that writing `keep` bytes of this packet would break.
  Rule broken(uint32_t keep, const Packet& packet) const {
    if (packets && *packets == 0) return Rule::packets;
    if (captured_bytes && *captured_bytes < keep) return Rule::captured_bytes;
    if (duration && first_time && packet.has_time && static_cast<Int128>(packet.time) - *first_time >= *duration)
      return Rule::duration;
    return Rule::none;
  }
  // Counts a packet that was written.
  void count(uint32_t keep, const Packet& packet) {
    if (packets) --*packets;
    if (captured_bytes) *captured_bytes -= keep;
    if (duration && !first_time && packet.has_time) first_time = packet.time;
  }
};

class Sieve {
 public:
  explicit Sieve(std::shared_ptr<const Selection> selection) : selection_(std::move(selection)) {}

  // Goes on with other programs; format and snap length must be the same.
  void use(std::shared_ptr<const Selection> selection) {
    selection_ = std::move(selection);
    forgetChain();
  }
  // The link types of another section or source may be others.
  void forgetChain() { chain_link_type_ = -1; }
  const Selection& selection() const { return *selection_; }

  // What a walk asks once, so that its loop need not: writing to the output could have changed anything in memory.
  struct Way {
    const Selection& selection;
    bool every_time;
    bool every_packet;
    const Chosen* chosen;
    bool limited;
    bool is_pcap_out;
  };
  Way way() const {
    const Format format = selection_->format();
    return {*selection_,
            selection_->everyTime(),
            selection_->everyPacket(),
            selection_->chosen(),
            limits.any(),
            format == Format::pcap_us || format == Format::pcap_ns};
  }

  // What the output calls a packet.
  struct Name {
    uint32_t interface;   // its number in the output
    bool same_interface;  // that is the number in the record
    uint64_t number;      // the packet's in its source, from 1
  };

  // Decides on a packet, writes it where it passes, and counts it. `name` gives its Name, and is asked only then.
  // `budget`: that is done. Any other status is why nothing was done, with counts->detail: the packet is to be read
  // again. (`way` is a copy so that it stays in registers.)
  template <bool kIsPcap, class NameOf>
  [[gnu::always_inline]] Status offer(Way way, const Packet& packet, const Interface& interface, Order order,
                                      Counts* counts, const NameOf& name) {
    const bool timed = kIsPcap || packet.has_time;
    const bool in = way.every_time || (timed && way.selection.inWindows(packet.time));
    const bool has_number = way.chosen != nullptr && way.chosen->counts(timed, packet.time);
    bool pass = in && (way.chosen == nullptr || (has_number && way.chosen->has(number)));
    if (pass && !way.every_packet) {
      if (chain_link_type_ != interface.link_type) [[unlikely]] {
        chain_link_type_ = -1;
        if (!way.selection.chainFor(interface.link_type, &chain_)) {
          counts->detail = interface.link_type;
          return Status::need_program;
        }
        chain_link_type_ = interface.link_type;
      }
      for (const Program* program : chain_) {
        pass = program->run(packet.data, packet.caplen, packet.wirelen) != 0;
        if (!pass) break;
      }
    }
    if (pass) {
      const uint32_t keep = output.kept(packet);
      if (way.limited) {
        const Rule rule = limits.broken(keep, packet);
        if (rule != Rule::none) {
          counts->detail = static_cast<int64_t>(rule);
          return Status::limit;
        }
      }
      if (way.is_pcap_out && counts->link_type_out != interface.link_type && counts->link_type_out >= 0) [[unlikely]] {
        counts->detail = interface.link_type;
        return Status::mixed_link_types;
      }
      const Name as = name();
      const Output::Put put = output.packet(packet, keep, interface, as.interface, as.same_interface, as.number, order);
      if (put != Output::Put::done) [[unlikely]]
        return put == Output::Put::full ? Status::output_full : Status::time_range;
      countWritten(counts, packet, interface, keep, timed);
      if (way.limited) limits.count(keep, packet);
    }
    // Counted only now: a packet that was held is read again.
    countRead<kIsPcap>(counts, packet, order, in);
    if (has_number) {
      ++number;
      ++counts->numbered;
    }
    return Status::budget;
  }

  Output output;
  Limits limits;
  // Of the next packet in the range of those that are chosen.
  uint64_t number = 0;

 private:
  std::shared_ptr<const Selection> selection_;
  // The programs for the link type of the last packet, where `chain_link_type_` is one.
  Selection::Chain chain_;
  int64_t chain_link_type_ = -1;
};

}  // namespace spillway
