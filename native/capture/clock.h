// The system's clock: times of packets and of losses.
#pragma once
#include <time.h>

#include "base/time.h"

namespace spillway::capture {

inline Nanos systemNow() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<Nanos>(now.tv_sec) * kNanosPerSecond + now.tv_nsec;
}

}  // namespace spillway::capture
