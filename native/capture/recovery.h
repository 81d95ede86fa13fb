// What is done before a capture begins, and after one that did not end properly: torn tails are cut, what was under
// construction is sealed, missing sidecars are made, leftovers swept. Only what was under construction is read.
#pragma once
#include <functional>
#include <string>

#include "capture/failure.h"
#include "capture/retention.h"

namespace spillway::capture {

struct Repair {
  enum class What : uint8_t {
    sealed,      // a segment under construction was cut to what is whole, and sealed
    removed,     // it held no packet
    index_made,  // a sealed segment had no sidecar
    swept,       // a file that belongs to nothing
    failed,      // it could not be done; `error` tells why
  };
  What what;
  std::string folder;  // of the interface, within the job's
  std::string file;
  uint64_t packets = 0;
  uint64_t kept_bytes = 0;
  uint64_t cut_bytes = 0;     // that were written behind what is whole; 0 where that is not known
  uint64_t lost_packets = 0;  // that were stored and are damaged; they stand in the record of losses, too
  int error = 0;
};
// One line of JSON, without its end.
std::string toJson(const Repair& repair);

// Repairs all interfaces in the job's folder, whose lock the caller holds, and tells each repair. The sealed segments
// are added to `retention` where it is not null.
Failed recover(const std::string& job, Retention* retention, const std::function<void(const Repair&)>& tell);

}  // namespace spillway::capture
