// One filter through libpcap. Runs only in a child that may crash (see sandbox.h).
#pragma once
#include "libpcap.h"
#include "outcome.h"
#include "request.h"

namespace spillway::compile {

void compileFilter(const Libpcap& library, const Request& request, Outcome& outcome);

}  // namespace spillway::compile
