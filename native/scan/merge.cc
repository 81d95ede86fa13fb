#include "scan/merge.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace spillway {

Merge::Merge(std::shared_ptr<const Selection> selection, uint32_t interface_count, int64_t link_type_out)
    : sieve_(std::move(selection)) {
  const Selection& told = sieve_.selection();
  sieve_.output.open(told.format(), told.snapLength(), told.interfaceComment());
  counts_.interface_count = interface_count;
  counts_.link_type_out = link_type_out;
}

bool Merge::addRange(int fd, uint64_t start, uint64_t end, Bytes state, uint32_t interface_base, Nanos first,
                     size_t read_bytes) {
  Source source;
  if (state.empty() ? start != 0 : !source.reader.restore(state)) return false;
  if (!state.empty()) source.number(interface_base, source.reader.interfaceCount());
  source.input.openRange(fd, start, end, read_bytes);
  heads_.add({first, static_cast<uint32_t>(sources_.size())});
  sources_.push_back(std::move(source));
  return true;
}

void Merge::addStream(Nanos first) {
  heads_.add({first, static_cast<uint32_t>(sources_.size())});
  sources_.emplace_back().input.openStream();
}

bool Merge::takesFeed(uint32_t source) const {
  const Source& one = sources_[source];
  return one.stretch == Stretch::not_a_lane && one.input.fd() < 0 && one.life != Life::over && !one.input.exhausted();
}

void Merge::feed(uint32_t source, Bytes bytes, bool last) {
  sources_[source].input.feed(bytes, last);
  sources_[source].held = false;  // its bytes may lie elsewhere now
}

void Merge::fault(uint32_t source, std::string text) {
  feed(source, {}, true);
  sources_[source].fault = std::move(text);
}

void Merge::startCounts() {
  Counts counts;
  counts.interface_count = counts_.interface_count;
  counts.link_type_out = counts_.link_type_out;
  counts.snap_length_out = counts_.snap_length_out;
  counts_ = counts;
}

Status Merge::step(uint8_t* out, size_t capacity, size_t budget) {
  Output& output = sieve_.output;
  output.begin(out, capacity);
  source_ = kNoSource;
  taken_ = 0;
  const Status status = run(budget);
  counts_.crc32c = output.finish(counts_.crc32c);
  needed_ = output.needed();
  out_length_ = output.size();
  counts_.out_bytes += out_length_;
  counts_.packets_sent += output.sent();
  return status;
}

Status Merge::run(size_t budget) {
  const Sieve::Way way = sieve_.way();
  if (way.limited && sieve_.limits.spent()) {
    counts_.detail = static_cast<int64_t>(Rule::packets);
    return Status::limit;
  }
  while (!heads_.empty()) {
    if (tell_alone_) {
      tell_alone_ = false;
      const auto begun =
          std::find_if(sources_.begin(), sources_.end(), [](const Source& one) { return one.life == Life::begun; });
      if (begun != sources_.end()) source_ = static_cast<uint32_t>(begun - sources_.begin());
      return Status::alone;
    }
    const uint32_t number = heads_.first().source;
    Source& source = sources_[number];
    if (source.stretch == Stretch::none) {
      source_ = asked_ = number;
      return Status::need_next;
    }
    if (taken_ >= budget) return Status::budget;
    if (source.life == Life::waiting) {
      source.life = Life::begun;
      ++begun_;
    }
    std::optional<Status> status;
    if (source.reader.container == Container::unknown) status = start(source);
    if (!status || *status == Status::budget)
      status = source.reader.pcap ? walk(source, *source.reader.pcap, way, budget)
                                  : walk(source, source.reader.pcapng, way, budget);
    if (!status) {
      heads_.changeFirst(head_time_);
    } else if (*status == Status::done) {
      leave(source);
    } else {
      source_ = number;
      if (*status == Status::damage) leave(source);
      return *status;
    }
  }
  return Status::done;
}

template <class Reader>
std::optional<Status> Merge::walk(Source& source, Reader& reader, const Sieve::Way& way, size_t budget) {
  constexpr bool kIsPcap = std::is_same_v<Reader, PcapReader>;
  const Head second = heads_.second();
  const uint32_t number = static_cast<uint32_t>(&source - sources_.data());
  Input& input = source.input;
  Packet& packet = source.packet;
  bool held = std::exchange(source.held, false);
  for (;;) {
    const uint8_t* const data = input.data();
    const size_t size = input.size();
    const uint64_t base = input.offset();
    // Records may start below this many bytes from `data`.
    const size_t stop = static_cast<size_t>(std::min<uint64_t>(size, input.end() > base ? input.end() - base : 0));
    Order order;
    if constexpr (!kIsPcap) order = reader.order();
    size_t at = 0;
    Next next = held ? Next::packet : Next::need_more;
    while (at < stop && (held || (next = reader.next(data + at, size - at, &packet)) == Next::packet)) {
      held = false;
      if ((kIsPcap || packet.has_time) && !Head{packet.time, number}.before(second)) {
        head_time_ = packet.time;
        source.held = true;
        consume(source, at);
        return std::nullopt;
      }
      const Interface& interface =
          kIsPcap ? source.reader.pcap_interface : source.reader.pcapng.interfaces()[packet.interface];
      const Status status = sieve_.offer<kIsPcap>(way, packet, interface, order, &counts_, [&] {
        const uint32_t id = source.ids[packet.interface];
        return Sieve::Name{id, kIsPcap || id == packet.interface, source.packets + 1};
      });
      if (status != Status::budget) [[unlikely]] {
        counts_.detail_offset = base + at;
        consume(source, at);
        return status;
      }
      ++source.packets;
      at += packet.record.size;
      if (way.limited && sieve_.limits.spent()) {
        counts_.detail = static_cast<int64_t>(Rule::packets);
        consume(source, at);
        return Status::limit;
      }
    }
    consume(source, at);
    if (input.offset() >= input.end()) return Status::done;
    if (next != Next::packet && next != Next::need_more) {
      const Status status = other(source, next, packet);
      if (status != Status::budget) return status;
      continue;
    }
    if (taken_ >= budget) return Status::budget;
    const Status more = refill(source);
    if (more == Status::done) {
      std::string why = source.fault.empty() ? source.reader.endDamage(input) : std::move(source.fault);
      return why.empty() ? Status::done : damaged(source, std::move(why));
    }
    if (more != Status::budget) return more;
  }
}

// Reads what a source begins with. `budget` means go on.
Status Merge::start(Source& source) {
  for (;;) {
    size_t used = 0;
    std::string text;
    const Next next = source.reader.start({source.input.data(), source.input.size()}, &used, &text);
    if (next == Next::damage) return damaged(source, std::move(text));
    if (next == Next::section) {
      if (source.reader.container == Container::pcapng) return Status::budget;
      const Status status = describe(source, source.reader.pcap_interface, {}, {});
      if (status == Status::budget) consume(source, used);
      else source.reader = {};
      return status;
    }
    const Status more = refill(source);
    if (more == Status::done && source.input.lost()) return more;
    if (more == Status::done)
      return damaged(source, source.fault.empty() ? source.reader.endDamage(source.input) : std::move(source.fault));
    if (more != Status::budget) return more;
  }
}

// What stands at the front of the source is no packet. `budget` means go on.
Status Merge::other(Source& source, Next next, const Packet& packet) {
  PcapngReader& reader = source.reader.pcapng;
  switch (next) {
    case Next::section:
      source.ids.clear();
      break;
    case Next::interface: {
      const Status status = describe(source, reader.interfaces().back(), packet.options, reader.order());
      if (status != Status::budget) {
        reader.forgetInterface();
        return status;
      }
      break;
    }
    case Next::skipped:
      ++counts_.blocks_skipped;
      break;
    case Next::damage:
      return damaged(source, source.reader.damageText());
    case Next::packet:
    case Next::need_more:
      return Status::budget;
  }
  consume(source, packet.record.size);
  return Status::budget;
}

Status Merge::describe(Source& source, const Interface& interface, Bytes options, Order order) {
  if (counts_.interface_count >= limits::kMaxInterfaces)
    return damaged(source, "more than " + std::to_string(limits::kMaxInterfaces) + " interfaces are described");
  if (sieve_.output.interface(interface, options, order) == Output::Put::full) return Status::output_full;
  source.ids.push_back(static_cast<uint32_t>(counts_.interface_count++));
  return Status::budget;
}

// The output may hold a run of records that still lie in the input.
Status Merge::refill(Source& source) {
  sieve_.output.flush();
  const uint64_t before = source.input.offset();
  const Status status = spillway::refill(&source.input, source.reader, &counts_);
  counts_.end += source.input.offset() - before;  // a block that is left out
  return status;
}

Status Merge::damaged(const Source& source, std::string text) {
  damage_ = std::move(text);
  counts_.detail_offset = source.input.offset();
  return Status::damage;
}

void Merge::consume(Source& source, size_t bytes) {
  source.input.consume(bytes);
  taken_ += bytes;
  if (source.input.fd() >= 0) counts_.end += bytes;
}

// What there was of the source that is first is read.
void Merge::leave(Source& source) {
  sieve_.output.flush();
  source.input.release();
  source.reader = {};
  source.packet = {};
  if (source.stretch == Stretch::present) source.stretch = Stretch::none;
  else end(source);
}

// The source that is first is over.
void Merge::end(Source& source) {
  begun_ -= source.life == Life::begun;
  source.life = Life::over;
  heads_.removeFirst();
  tell_alone_ = begun_ <= 1 && !heads_.empty();
  source.ids = {};
}

std::optional<Merge::Place> Merge::place(uint32_t source) const {
  const Source& one = sources_[source];
  if (one.life != Life::begun || one.input.fd() < 0 || one.input.lost()) return std::nullopt;
  if (one.reader.container == Container::unknown) return std::nullopt;
  const Format format = sieve_.selection().format();
  const auto count = static_cast<uint32_t>(counts_.interface_count);
  const auto own = static_cast<uint32_t>(one.ids.size());
  // PCAP knows no numbers.
  if (format == Format::pcap_us || format == Format::pcap_ns)
    return Place{one.input.offset(), one.reader.state(), count - own};
  const uint32_t base = one.ids.empty() ? count : one.ids[0];
  // Numbers only grow: from the first to the output's last there are as many as the section has where none is
  // another's.
  if (!one.reader.pcap && base + own != count) return std::nullopt;
  return Place{one.input.offset(), one.reader.state(), base};
}

std::optional<uint32_t> Merge::interfaceBase(uint32_t source) const {
  const std::vector<uint32_t>& ids = sources_[source].ids;
  return ids.empty() ? std::nullopt : std::optional(ids[0]);
}

}  // namespace spillway
