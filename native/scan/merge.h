// Several sources in one output, in time order, in bounded steps. Next comes the packet whose time is the smallest
// among the heads, the next packets of all sources; of equal times that of the source that was added first. So no
// source's own order is ever changed: where its times step back, the packets come out as they get to its head. A packet
// without a time follows the one before it in its source. Interfaces are numbered in the order in which they are
// described. A lane is a source that comes in stretches, which are asked for as they are needed and are as one file.
#pragma once
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "scan/heads.h"
#include "scan/refill.h"
#include "scan/sieve.h"
#include "scan/source_reader.h"

namespace spillway {

class Merge {
 public:
  static constexpr uint32_t kNoSource = UINT32_MAX;

  // `interface_count`: interfaces that the output has already; `link_type_out`: that of the first packet in it, -1
  // while there is none.
  Merge(std::shared_ptr<const Selection> selection, uint32_t interface_count, int64_t link_type_out);

  // Sources are added before the first step, and numbered from 0. Nothing is read of a source before its turn: `first`
  // is the time of its first packet, kNanosMin where that is not known or has none.
  //
  // Records of a file that start in [start, end). `fd` is borrowed. `state`: the reader's state at `start` (empty: the
  // start of a capture file), where the interfaces have the numbers from `interface_base` on in the output.
  // `read_bytes` are read at once. False where `state` is none; nothing is added then.
  bool addRange(int fd, uint64_t start, uint64_t end, Bytes state, uint32_t interface_base, Nanos first,
                size_t read_bytes);
  void addStream(Nanos first);
  // A source whose stretches are asked for: the first at `first`, the next where the one before ends.
  void addLane(Nanos first);
  size_t sources() const { return sources_.size(); }

  // A stream that is not over and was not told its end.
  bool takesFeed(uint32_t source) const;
  // Appends a copy of `bytes` to a stream. `last`: nothing follows.
  void feed(uint32_t source, Bytes bytes, bool last);
  // A stream ends behind what was fed, because it is damaged: a sentence.
  void fault(uint32_t source, std::string text);

  // The lane that `need_next` was about, until it is given one of the next three, which are for it alone.
  uint32_t asked() const { return asked_; }
  // What follows: as addRange, but nothing beyond `end` is read, unless in a block of `sums` (null, or of the blocks
  // that the range lies in). Without `interface_base` the interfaces in `state` are those of the stretch before. False
  // where `state` is none, or has not as many then; nothing has changed then.
  bool next(int fd, uint64_t start, uint64_t end, Bytes state, std::optional<uint32_t> interface_base,
            size_t read_bytes, std::shared_ptr<const BlockSums> sums = nullptr);
  // Its next packet does not come before `until`: the others go on until then, and it is asked for again.
  void idle(Nanos until);
  // Nothing follows.
  void finish();

  void limit(const Limits& limits) { sieve_.limits = limits; }
  // As Scan::numberFrom; before the first step.
  void numberFrom(uint64_t number) { sieve_.number = number; }
  // Goes on with other programs; format and snap length must be the same.
  void use(std::shared_ptr<const Selection> selection) { sieve_.use(std::move(selection)); }

  // As Scan::step. After `damage` the source is over, or the lane's stretch, and the next step goes on; after
  // `need_input` the source() must be fed; `need_next`: it is a lane that is to be given what follows. `alone`: a
  // source is over, and of those that are left one at most has begun: source().
  Status step(uint8_t* out, size_t capacity, size_t budget);

  // Since the start, or since startCounts: `end` counts the bytes taken of all files.
  const Counts& counts() const { return counts_; }
  // From now on; what the first packet written gave the output stays.
  void startCounts();
  // The source that the last status is about.
  uint32_t source() const { return source_; }
  bool over(uint32_t source) const { return sources_[source].life == Life::over; }
  size_t outLength() const { return out_length_; }
  size_t needed() const { return needed_; }
  const std::string& damageText() const { return damage_; }

  // Where a source that has begun can be taken from by a scan of its own.
  struct Place {
    uint64_t offset;
    std::vector<uint8_t> state;
    uint32_t interface_base;
  };
  // Nothing for a stream, for a lane between two stretches, and where such a scan would give interfaces other numbers:
  // only interfaces that follow one another, and are the last of the output where more can come, can go on by
  // themselves.
  std::optional<Place> place(uint32_t source) const;
  // The number in the output of the first interface of a source's present section; nothing while none is described.
  std::optional<uint32_t> interfaceBase(uint32_t source) const;

 private:
  enum class Life : uint8_t { waiting, begun, over };
  // Of a lane: whether it has a stretch to read.
  enum class Stretch : uint8_t { not_a_lane, none, present };
  struct Source {
    Input input;
    SourceReader reader;
    std::vector<uint32_t> ids;  // numbers in the output of the interfaces of the reader's section
    uint64_t packets = 0;
    Packet packet;      // read last
    bool held = false;  // that one waits for its turn, at the front of the input
    Life life = Life::waiting;
    Stretch stretch = Stretch::not_a_lane;
    std::string fault;

    // Its interfaces are those of the output from `base` on.
    void number(uint32_t base, size_t count) {
      ids.resize(count);
      std::iota(ids.begin(), ids.end(), base);
    }
  };

  Status run(size_t budget);
  Status start(Source& source);
  // The source's packets as long as they come before the second head. Nothing: `head_time_` is that of its next.
  template <class Reader>
  std::optional<Status> walk(Source& source, Reader& reader, const Sieve::Way& way, size_t budget);
  Status other(Source& source, Next next, const Packet& packet);
  Status describe(Source& source, const Interface& interface, Bytes options, Order order);
  Status refill(Source& source);
  Status damaged(const Source& source, std::string text);
  void consume(Source& source, size_t bytes);
  void leave(Source& source);
  void end(Source& source);

  std::vector<Source> sources_;
  Heads heads_;
  Sieve sieve_;
  Counts counts_;
  uint32_t begun_ = 0;  // sources that have begun and are not over
  bool tell_alone_ = false;
  uint32_t source_ = kNoSource;
  uint32_t asked_ = kNoSource;
  Nanos head_time_ = 0;
  size_t taken_ = 0;  // bytes of this step
  std::string damage_;
  size_t out_length_ = 0;
  size_t needed_ = 0;
};

}  // namespace spillway
