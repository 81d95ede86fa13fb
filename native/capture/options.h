// The command line of spillway-capture.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/failure.h"
#include "capture/limits.h"
#include "capture/retention.h"
#include "capture/segment_store.h"

namespace spillway::capture {

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Options {
  std::string folder;
  std::vector<std::string> interfaces;
  std::string program_path;  // empty: all packets
  uint32_t snap_bytes = limits::kMaxSnapBytes;
  uint64_t segment_bytes = 0;  // 0: by the limit of retention
  RetentionLimits retain;
  Fsync fsync = Fsync::seal;
  uint64_t ring_bytes = limits::kRingBytes;
  uint64_t queue_bytes = limits::kQueueBytes;
  bool hardware_timestamps = false;
  bool libpcap = false;
  bool promiscuous = true;
  bool foreground = false;
  bool recover = false;
  bool help = false;
  bool version = false;
  std::optional<User> user;

  // What --segment-bytes says, or what suits the limit of retention.
  uint64_t segmentBytes() const;
  // A segment is sealed after that long, so that retention by age lets go in small steps.
  int64_t segmentSeconds() const;
};

Failed parseOptions(const std::vector<std::string>& arguments, Options* options);
const char* usageText();

}  // namespace spillway::capture
