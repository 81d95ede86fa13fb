// Every limit of the filter compiler, with its reason. src/filter/limits.ts repeats those that a caller can check
// first.
#pragma once
#include <cstddef>
#include <cstdint>

#include "../base/limits.h"

namespace spillway::compile {

// A filter text, in bytes. libpcap's parser needs seconds for far shorter ones, so nothing of use is lost.
constexpr size_t kMaxTextBytes = 64u << 10;

// Processor time one filter may take, in milliseconds. libpcap's optimiser needs a minute for a thousand or-ed ports;
// a caller is owed an answer within a second.
constexpr int kMaxCpuMs = 800;

// Time on the clock, in milliseconds: a backstop for a compile that waits instead of working. It is wider than the
// processor time so that a busy machine does not refuse what an idle one accepts.
constexpr int kMaxWallMs = 3000;

// Address space of one compile, in bytes; libpcap and what it links to take about 30 MiB of it.
constexpr size_t kMaxAddressBytes = 256u << 20;

// Stack of one compile, in bytes; deep nesting ends here instead of in swap.
constexpr size_t kMaxStackBytes = 8u << 20;

// Instructions of a program: what the scan accepts.
constexpr size_t kMaxInstructions = limits::kMaxProgramInsns;

// Version text in the handshake, in bytes.
constexpr size_t kMaxVersionBytes = 64;

}  // namespace spillway::compile
