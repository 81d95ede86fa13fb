#include "scan/scan.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "format/pcapng_options.h"

namespace spillway {
namespace {

// How far a guess of a record boundary looks, in bytes. A record longer than this has none guessed in it.
constexpr size_t kSeekBytes = 1u << 20;

std::string optionText(const pcapng::Option& option) {
  return std::string(reinterpret_cast<const char*>(option.value), option.length);
}

}  // namespace

bool Scan::openRange(int fd, uint64_t start, uint64_t end, Bytes state, bool resync, uint32_t interface_base,
                     std::shared_ptr<const BlockSums> sums) {
  reset(interface_base);
  input_.openRange(fd, start, end, limits::kReadBytes, Input::Reach::beyond_end, std::move(sums));
  counts_.start = counts_.end = start;
  if (state.empty()) return start == 0 && !resync;
  seek_pending_ = resync;
  return restore(state);
}

void Scan::openStream(uint32_t interface_base) {
  reset(interface_base);
  input_.openStream();
}

bool Scan::moveTo(uint64_t start, uint64_t end, Bytes state) {
  if (input_.lost()) return false;
  const std::vector<uint8_t> present = this->state();
  if (state.size != present.size() || std::memcmp(state.data, present.data(), state.size) != 0) return false;
  input_.moveTo(start, end);
  counts_.end = start;
  return true;
}

void Scan::reset(uint32_t interface_base) {
  const Selection& told = sieve_.selection();
  sieve_.output.open(told.format(), told.snapLength(), told.interfaceComment());
  sieve_.limits = {};
  sieve_.number = 0;
  sieve_.forgetChain();
  counts_ = {};
  reader_ = {};
  info_.clear();
  section_first_ = 0;
  interface_base_ = interface_base;
  counts_.section_base = interface_base;
  counts_.interface_count = interface_base;
  sections_ = 0;
  seek_pending_ = false;
  in_place_ = true;
  section_options_.clear();
  damage_.clear();
}

bool Scan::restore(Bytes bytes) {
  if (!reader_.restore(bytes)) return false;
  if (reader_.container == Container::pcap) info_.push_back({reader_.pcap_interface, {}, {}, 0});
  for (const Interface& interface : reader_.pcapng.interfaces()) info_.push_back({interface, {}, {}, 0});
  sections_ = 1;
  counts_.interface_count = interface_base_ + info_.size();
  counts_.section_base = interface_base_;
  return true;
}

Status Scan::step(uint8_t* out, size_t capacity, size_t budget) {
  Output& output = sieve_.output;
  output.begin(out, capacity);
  Status status = Status::budget;
  if (reader_.container == Container::unknown) status = start();
  if (status == Status::budget && seek_pending_) status = seek();
  if (status == Status::budget && reader_.container != Container::unknown) status = walk(budget);
  counts_.crc32c = output.finish(counts_.crc32c);
  needed_ = output.needed();
  out_length_ = output.size();
  counts_.out_bytes += out_length_;
  counts_.packets_sent += output.sent();
  counts_.end = input_.offset();
  return status;
}

Status Scan::damaged(std::string text) {
  damage_ = std::move(text);
  counts_.detail_offset = input_.offset();
  return Status::damage;
}

// Reads what a capture file begins with. `budget` means go on.
Status Scan::start() {
  for (;;) {
    size_t used = 0;
    std::string text;
    const Next next = reader_.start({input_.data(), input_.size()}, &used, &text);
    if (next == Next::damage) return damaged(std::move(text));
    if (next == Next::section) return reader_.container == Container::pcap ? startPcap(used) : Status::budget;
    const Status more = refill();
    if (more == Status::done && !input_.lost()) return damaged(reader_.endDamage(input_));
    if (more != Status::budget) return more;
  }
}

// A pcap file is one interface, described by its header.
Status Scan::startPcap(size_t header_bytes) {
  if (sieve_.output.interface(reader_.pcap_interface, {}, {}) == Output::Put::full) {
    reader_ = {};
    return Status::output_full;
  }
  sections_ = 1;
  info_.push_back({reader_.pcap_interface, {}, {}, 0});
  counts_.interface_count = interface_base_ + 1;
  input_.consume(header_bytes);
  return Status::budget;
}

// Guesses the first record boundary of the range; looks further only where a first look finds none.
Status Scan::seek() {
  for (;;) {
    const Status more = refill();
    if (more == Status::io_error) return more;
    if (findBoundary()) {
      counts_.start = counts_.end = input_.offset();
      seek_pending_ = false;
      return Status::budget;
    }
    if (more != Status::budget || input_.size() >= kSeekBytes) return Status::no_boundary;
  }
}

bool Scan::findBoundary() {
  const uint8_t* data = input_.data();
  const size_t size = input_.size();
  const bool is_pcap = reader_.container == Container::pcap;
  // PCAPNG blocks are multiples of four bytes long, from the start of the file.
  const size_t step = is_pcap ? 1 : 4;
  const size_t first = is_pcap ? 0 : static_cast<size_t>((4 - input_.offset() % 4) % 4);
  const size_t last = static_cast<size_t>(std::min<uint64_t>(size, input_.end() - input_.offset()));
  for (size_t at = first; at < last; at += step) {
    const bool boundary = is_pcap ? reader_.pcap->plausible(data + at, size - at, input_.exhausted())
                                  : reader_.pcapng.plausible(data + at, size - at, input_.exhausted());
    if (!boundary) continue;
    input_.consume(at);
    return true;
  }
  return false;
}

Status Scan::walk(size_t budget) {
  return reader_.container == Container::pcap ? walkWith(*reader_.pcap, budget) : walkWith(reader_.pcapng, budget);
}

template <class Reader>
Status Scan::walkWith(Reader& reader, size_t budget) {
  constexpr bool kIsPcap = std::is_same_v<Reader, PcapReader>;
  const Sieve::Way way = sieve_.way();
  in_place_ = in_place_ && copiesAll();
  const uint64_t budget_end = input_.offset() + budget;
  Order order;
  if constexpr (!kIsPcap) order = reader.order();
  Counts c = counts_;  // in registers while the loop runs: bytes written to the output could alias the member
  Packet packet;
  for (;;) {
    const uint8_t* const data = input_.data();
    const size_t size = input_.size();
    const uint64_t base = input_.offset();
    // Records may start below this many bytes from `data`.
    const size_t stop = static_cast<size_t>(std::min<uint64_t>(size, input_.end() > base ? input_.end() - base : 0));
    size_t at = 0;
    Next next = Next::need_more;
    const auto leave = [&](Status status) {
      sieve_.output.flush();
      input_.consume(at);
      counts_ = c;
      return status;
    };
    while (at < stop && (next = reader.next(data + at, size - at, &packet)) == Next::packet) {
      const Interface& interface = kIsPcap ? reader_.pcap_interface : reader_.pcapng.interfaces()[packet.interface];
      const Status status = sieve_.offer<kIsPcap>(way, packet, interface, order, &c, [&] {
        return Sieve::Name{interface_base_ + packet.interface, kIsPcap || interface_base_ == 0, c.packets_read + 1};
      });
      if (status != Status::budget) [[unlikely]] {
        c.detail_offset = base + at;
        return leave(status);
      }
      ++info_[section_first_ + packet.interface].packets;
      at += packet.record.size;
      if (way.limited && sieve_.limits.spent()) {
        c.detail = static_cast<int64_t>(Rule::packets);
        return leave(Status::limit);
      }
    }
    leave(Status::budget);
    if (input_.offset() >= input_.end()) return Status::done;
    if (next != Next::packet && next != Next::need_more) {
      const Status status = other(next, packet);
      if (status != Status::budget) return status;
      c = counts_;
      if constexpr (!kIsPcap) order = reader.order();
      continue;
    }
    if (input_.offset() >= budget_end) return Status::budget;
    if (in_place_) {
      const uint64_t before = input_.offset();
      const Status status = walkInPlace(reader, &c, budget_end);
      counts_ = c;
      if (status != Status::budget) return status;
      if (input_.offset() != before) continue;
    }
    const Status more = refill();
    if (more == Status::done) {
      std::string why = reader_.endDamage(input_);
      return why.empty() ? Status::done : damaged(std::move(why));
    }
    if (more != Status::budget) return more;
  }
}

// What stands at the front of the input is no packet. `budget` means go on.
Status Scan::other(Next next, const Packet& packet) {
  switch (next) {
    case Next::section: {
      interface_base_ += static_cast<uint32_t>(info_.size()) - section_first_;
      section_first_ = static_cast<uint32_t>(info_.size());
      counts_.section_base = interface_base_;
      sieve_.forgetChain();
      if (sections_++ == 0) {
        section_options_.resize(pcapng::copiedOptionsBound(packet.options.size));
        section_options_.resize(pcapng::copyOptions(packet.options, reader_.pcapng.order(),
                                                    pcapng::OptionScope::section, section_options_.data()));
      }
      break;
    }
    case Next::interface: {
      const Interface& interface = reader_.pcapng.interfaces().back();
      const uint64_t id = interface_base_ + reader_.pcapng.interfaces().size() - 1;
      if (id >= limits::kMaxInterfaces)
        return damaged("more than " + std::to_string(limits::kMaxInterfaces) + " interfaces are described");
      if (sieve_.output.interface(interface, packet.options, reader_.pcapng.order()) == Output::Put::full) {
        reader_.pcapng.forgetInterface();
        return Status::output_full;
      }
      nameInterface(interface, packet.options, reader_.pcapng.order());
      counts_.interface_count = id + 1;
      break;
    }
    case Next::skipped:
      ++counts_.blocks_skipped;
      break;
    case Next::damage:
      return damaged(reader_.damageText());
    case Next::packet:
    case Next::need_more:
      return Status::budget;
  }
  input_.consume(packet.record.size);
  return Status::budget;
}

void Scan::nameInterface(const Interface& interface, Bytes options, Order order) {
  InterfaceInfo info{interface, {}, {}, 0};
  pcapng::OptionWalk walk(options, order);
  for (pcapng::Option option{}; walk.next(&option);) {
    if (option.code == pcapng::kIfName) info.name = optionText(option);
    if (option.code == pcapng::kIfDescription) info.description = optionText(option);
  }
  info_.push_back(std::move(info));
}

}  // namespace spillway
