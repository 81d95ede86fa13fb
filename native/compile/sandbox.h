// Runs one compile in a child process with limits on itself, so that a crash, a hang or a memory blow-up of libpcap's
// parser is an answer and nothing more.
#pragma once
#include "libpcap.h"
#include "outcome.h"
#include "request.h"

namespace spillway::compile {

class Sandbox {
 public:
  explicit Sandbox(const Libpcap& library);
  // Never fails: what goes wrong is the outcome, which is valid until the next call.
  const Outcome& run(const Request& request);

 private:
  const Libpcap& library_;
  Outcome* shared_;  // with the child; nullptr when there was no memory for it
  Outcome own_;
};

}  // namespace spillway::compile
