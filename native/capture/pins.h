// Pins hold sealed segments against retention. A pin is a file `<id>.pin-WORD` beside the segment; its text is the time
// at which it ends, in decimal nanoseconds since 1970 and with a line end, or 0: it never ends. What can't be read as
// that holds, too, so that a pin is one as soon as its name is there.
//
// Whoever pins a segment takes a shared lock on its file first, looks whether the name still leads to that file, and
// writes the pin before the lock is let go of.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace spillway::capture {

// Whether the pin at `path` holds at `now`. One that is not there does not.
bool pinHolds(const std::string& path, Nanos now);

// The pins of folders as they were when each was first asked for; each pin is read when its segment is asked for.
class Pins {
 public:
  explicit Pins(Nanos now) : now_(now) {}
  // Also where the folder can't be read.
  bool hold(const std::string& folder, uint64_t id);
  Nanos now() const { return now_; }

 private:
  struct Folder {
    bool listed = false;
    std::multimap<uint64_t, std::string> names;  // of pins, by the segment's id
  };
  const Folder& look(const std::string& path);

  Nanos now_;
  std::map<std::string, Folder> folders_;
};

}  // namespace spillway::capture
