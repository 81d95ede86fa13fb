// Scans a file range by range, each but the first from a guess, as a parallel scan does: a guess that does not agree
// with the end of the range before is thrown away. (`believe`: it is not, which the fuzzer must find.)
#pragma once
#include "drive.h"

namespace spillway::test {

struct Ranged {
  Outcome last;  // of the scan that ended it
  Buffer out;
  uint64_t packets = 0;
  uint64_t guesses = 0;  // that agreed
  uint64_t wrong = 0;    // that did not
};

inline Ranged scanInRanges(const MemoryFile& file, const std::vector<uint64_t>& cuts,
                           const std::function<std::shared_ptr<const Selection>()>& selection, const Drive& how = {},
                           bool believe = false) {
  Ranged ranged;
  Buffer state;
  uint64_t place = 0, base = how.interface_base;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const uint64_t start = i == 0 ? 0 : cuts[i - 1];
    const uint64_t end = i == cuts.size() ? file.size() : cuts[i];
    if (i != 0 && place >= end && end != file.size()) continue;  // a record reaches over the whole range
    Outcome outcome;
    bool agrees = false;
    if (i != 0 && place < end && !state.empty()) {
      Scan guess(selection());
      ENSURE(guess.openRange(file.fd(), start, end, bytesOf(state), true, static_cast<uint32_t>(base)));
      outcome = drive(guess, how);
      agrees = outcome.status != Status::no_boundary && outcome.counts.start == place;
      (agrees ? ranged.guesses : ranged.wrong) += 1;
      agrees |= believe && outcome.status != Status::no_boundary;
    }
    if (!agrees) {
      Scan scan(selection());
      ENSURE(scan.openRange(file.fd(), place, end, bytesOf(state), false, static_cast<uint32_t>(base)));
      outcome = drive(scan, how);
    }
    ENSURE(outcome.counts.start == place || believe);
    ENSURE(outcome.status != Status::done || outcome.counts.end >= end || outcome.counts.end == file.size());
    ranged.out.insert(ranged.out.end(), outcome.out.begin(), outcome.out.end());
    ranged.packets += outcome.counts.packets_out;
    place = outcome.counts.end;
    state = outcome.state;
    base = outcome.counts.section_base;
    ranged.last = std::move(outcome);
    if (ranged.last.status != Status::done) break;
  }
  return ranged;
}

}  // namespace spillway::test
