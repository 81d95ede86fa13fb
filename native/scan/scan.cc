#include "scan/scan.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "format/pcapng_options.h"
#include "scan/state.h"

namespace spillway {
namespace {

// How far a guess of a record boundary looks, in bytes. A record longer than this has none guessed in it.
constexpr size_t kSeekBytes = 1u << 20;

std::string optionText(const pcapng::Option& option) {
  return std::string(reinterpret_cast<const char*>(option.value), option.length);
}

}  // namespace

bool Scan::openRange(int fd, uint64_t start, uint64_t end, Bytes state, bool resync, uint32_t interface_base) {
  reset(interface_base);
  input_.openRange(fd, start, end);
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
  const std::vector<uint8_t> present = this->state();
  if (state.size != present.size() || std::memcmp(state.data, present.data(), state.size) != 0) return false;
  input_.openRange(input_.fd(), start, end);
  counts_.end = start;
  return true;
}

void Scan::reset(uint32_t interface_base) {
  output_.open(selection_->format(), selection_->snapLength());
  limits_ = {};
  counts_ = {};
  container_ = Container::unknown;
  pcap_.reset();
  pcapng_ = {};
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
  chain_link_type_ = -1;
}

bool Scan::restore(Bytes bytes) {
  ReaderState state;
  if (!decodeState(bytes, &state)) return false;
  container_ = state.container;
  if (container_ == Container::pcap) {
    pcap_.emplace(state.pcap);
    pcap_interface_.link_type = state.pcap.link_type;
    pcap_interface_.snap_length = state.pcap.snap_length;
    info_.push_back({pcap_interface_, {}, {}, 0});
  } else {
    pcapng_.restore(state.swapped, state.interfaces);
    for (const Interface& interface : state.interfaces) info_.push_back({interface, {}, {}, 0});
  }
  sections_ = 1;
  counts_.interface_count = interface_base_ + info_.size();
  counts_.section_base = interface_base_;
  return true;
}

std::vector<uint8_t> Scan::state() const {
  ReaderState state;
  state.container = container_;
  if (pcap_) state.pcap = pcap_->header();
  state.swapped = pcapng_.swapped();
  state.interfaces = pcapng_.interfaces();
  return encodeState(state);
}

Status Scan::step(uint8_t* out, size_t capacity, size_t budget) {
  output_.begin(out, capacity);
  Status status = Status::budget;
  if (container_ == Container::unknown) status = start();
  if (status == Status::budget && seek_pending_) status = seek();
  if (status == Status::budget && container_ != Container::unknown) status = walk(budget);
  counts_.crc32c = output_.finish(counts_.crc32c);
  needed_ = output_.needed();
  out_length_ = output_.size();
  counts_.out_bytes += out_length_;
  counts_.end = input_.offset();
  return status;
}

Status Scan::refill() {
  switch (input_.more()) {
    case Input::More::more:
      return Status::budget;
    case Input::More::end:
      return Status::done;
    case Input::More::need_feed:
      return Status::need_input;
    case Input::More::error:
      counts_.detail = input_.error();
      counts_.detail_offset = input_.offset();
      return Status::io_error;
  }
  return Status::done;
}

Status Scan::damaged(std::string text) {
  damage_ = std::move(text);
  counts_.detail_offset = input_.offset();
  return Status::damage;
}

// Reads what a capture file begins with. `budget` means go on.
Status Scan::start() {
  for (;;) {
    const Bytes bytes{input_.data(), input_.size()};
    if (bytes.size >= 4) {
      if (PcapngReader::recognises(bytes)) {
        container_ = Container::pcapng;
        return Status::budget;
      }
      if (!PcapReader::recognises(bytes))
        return damaged("not a capture file: it begins with neither a pcap nor a PCAPNG magic number");
      if (bytes.size >= pcap::kFileHeaderBytes) return startPcap();
    }
    const Status more = refill();
    if (more == Status::done) return damaged(bytes.size == 0 ? "the file is empty" : "the file ends inside its header");
    if (more != Status::budget) return more;
  }
}

Status Scan::startPcap() {
  PcapReader::Header header;
  std::string text;
  if (PcapReader::readHeader({input_.data(), input_.size()}, &header, &text) == Next::damage)
    return damaged(std::move(text));
  pcap_interface_ = {};
  pcap_interface_.link_type = header.link_type;
  pcap_interface_.snap_length = header.snap_length;
  if (header.nanos) pcap_interface_.resolution.exponent = 9;
  if (output_.interface(pcap_interface_, {}, {}) == Output::Put::full) return Status::output_full;
  pcap_.emplace(header);
  container_ = Container::pcap;
  sections_ = 1;
  info_.push_back({pcap_interface_, {}, {}, 0});
  counts_.interface_count = interface_base_ + 1;
  input_.consume(pcap::kFileHeaderBytes);
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
  const bool is_pcap = container_ == Container::pcap;
  // PCAPNG blocks are multiples of four bytes long, from the start of the file.
  const size_t step = is_pcap ? 1 : 4;
  const size_t first = is_pcap ? 0 : static_cast<size_t>((4 - input_.offset() % 4) % 4);
  const size_t last = static_cast<size_t>(std::min<uint64_t>(size, input_.end() - input_.offset()));
  for (size_t at = first; at < last; at += step) {
    const bool boundary = is_pcap ? pcap_->plausible(data + at, size - at, input_.exhausted())
                                  : pcapng_.plausible(data + at, size - at, input_.exhausted());
    if (!boundary) continue;
    input_.consume(at);
    return true;
  }
  return false;
}

Status Scan::walk(size_t budget) {
  return container_ == Container::pcap ? walkWith(*pcap_, budget) : walkWith(pcapng_, budget);
}

template <class Reader>
Status Scan::walkWith(Reader& reader, size_t budget) {
  constexpr bool kIsPcap = std::is_same_v<Reader, PcapReader>;
  const Selection& selection = *selection_;
  const bool every_time = selection.everyTime();
  const bool every_packet = selection.everyPacket();
  const bool limited = limits_.any();
  in_place_ = in_place_ && copiesAll();
  const bool is_pcap_out = selection.format() == Format::pcap_us || selection.format() == Format::pcap_ns;
  const uint64_t budget_end = input_.offset() + budget;
  Order order;
  if constexpr (!kIsPcap) order = reader.order();
  Counts c = counts_;  // in registers while the loop runs: bytes written to the output could alias the member
  Packet packet;
  const auto leave = [&](Status status) {
    counts_ = c;
    return status;
  };
  for (;;) {
    const uint8_t* const data = input_.data();
    const size_t size = input_.size();
    const uint64_t base = input_.offset();
    // Records may start below this many bytes from `data`.
    const size_t stop = static_cast<size_t>(std::min<uint64_t>(size, input_.end() > base ? input_.end() - base : 0));
    size_t at = 0;
    Next next = Next::need_more;
    while (at < stop && (next = reader.next(data + at, size - at, &packet)) == Next::packet) {
      const Interface& interface = kIsPcap ? pcap_interface_ : pcapng_.interfaces()[packet.interface];
      const auto hold = [&](Status status) {
        output_.flush();
        input_.consume(at);
        c.detail_offset = base + at;
        return leave(status);
      };
      const bool timed = kIsPcap || packet.has_time;
      const bool in = every_time || (timed && selection.inWindows(packet.time));
      bool pass = in;
      if (in && !every_packet) {
        if (chain_link_type_ != interface.link_type) [[unlikely]] {
          chain_link_type_ = -1;
          if (!selection.chainFor(interface.link_type, &chain_)) {
            c.detail = interface.link_type;
            return hold(Status::need_program);
          }
          chain_link_type_ = interface.link_type;
        }
        for (const Program* program : chain_) {
          pass = program->run(packet.data, packet.caplen, packet.wirelen) != 0;
          if (!pass) break;
        }
      }
      if (pass) {
        const uint32_t keep = output_.kept(packet);
        if (limited) {
          const Rule rule = limits_.broken(keep, packet);
          if (rule != Rule::none) {
            c.detail = static_cast<int64_t>(rule);
            return hold(Status::limit);
          }
        }
        if (is_pcap_out && c.link_type_out != interface.link_type && c.link_type_out >= 0) [[unlikely]] {
          c.detail = interface.link_type;
          return hold(Status::mixed_link_types);
        }
        const Output::Put put = output_.packet(packet, keep, interface, interface_base_ + packet.interface,
                                               interface_base_ == 0, c.packets_read + 1, order);
        if (put != Output::Put::done) [[unlikely]]
          return hold(put == Output::Put::full ? Status::output_full : Status::time_range);
        countWritten(&c, packet, interface, keep, timed);
        if (limited) {
          if (limits_.packets) --*limits_.packets;
          if (limits_.captured_bytes) *limits_.captured_bytes -= keep;
          if (limits_.duration && !limits_.first_time && packet.has_time) limits_.first_time = packet.time;
        }
      }
      // Counted only now: a packet that was held is read again.
      countRead<kIsPcap>(&c, packet, order, in);
      ++info_[section_first_ + packet.interface].packets;
      at += packet.record.size;
      if (limited && limits_.packets && *limits_.packets == 0) {
        c.detail = static_cast<int64_t>(Rule::packets);
        output_.flush();
        input_.consume(at);
        return leave(Status::limit);
      }
    }
    output_.flush();
    input_.consume(at);
    counts_ = c;
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
      if (input_.size() == 0) return Status::done;
      return damaged(container_ == Container::pcap ? "the file ends inside a packet" : "the file ends inside a block");
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
      chain_link_type_ = -1;
      if (sections_++ == 0) {
        section_options_.resize(pcapng::copiedOptionsBound(packet.options.size));
        section_options_.resize(pcapng::copyOptions(packet.options, pcapng_.order(), pcapng::OptionScope::section,
                                                    section_options_.data()));
      }
      break;
    }
    case Next::interface: {
      const Interface& interface = pcapng_.interfaces().back();
      const uint64_t id = interface_base_ + pcapng_.interfaces().size() - 1;
      if (id >= limits::kMaxInterfaces)
        return damaged("more than " + std::to_string(limits::kMaxInterfaces) + " interfaces are described");
      if (output_.interface(interface, packet.options, pcapng_.order()) == Output::Put::full) {
        pcapng_.forgetInterface();
        return Status::output_full;
      }
      nameInterface(interface, packet.options, pcapng_.order());
      counts_.interface_count = id + 1;
      break;
    }
    case Next::skipped:
      ++counts_.blocks_skipped;
      break;
    case Next::damage:
      return damaged(container_ == Container::pcap ? pcap_->damageText() : pcapng_.damageText());
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
