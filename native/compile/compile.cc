#include "compile.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "../base/bytes.h"

namespace spillway::compile {
namespace {

static_assert(kMaxAddressBytes == 256u << 20 && kMaxInstructions == 65536, "the sentences say so");
constexpr std::string_view kOutOfMemory = "libpcap needs more than 256 MiB of memory for it";
constexpr std::string_view kTooLong = "its program has more than 65,536 instructions";

constexpr Instruction kRejectAll = {0x06, 0, 0, 0};  // ret #0

// libpcap opened on an empty capture file in memory. Its own reader turns the file's link type into a DLT, and it
// knows that there is no live interface: `inbound` on Ethernet is refused instead of asking a kernel.
Handle* openEmptyCapture(const Libpcap& library, const Request& request, char* error) {
  uint8_t header[24] = {};
  store32(header, 0xa1b2c3d4);
  store16(header + 4, 2);
  store16(header + 6, 4);
  store32(header + 16, request.snapLengthBytes);
  store32(header + 20, request.linkType);
  FILE* file = fmemopen(header, sizeof header, "r");
  if (!file) {
    std::strcpy(error, "out of memory");
    return nullptr;
  }
  return library.openSavefile(file, error);
}

bool startsWithOneOf(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](auto start) { return text.substr(0, start.size()) == start; });
}

// What libpcap refuses the text for, or a bound that ran out while it worked on it. Only beginnings are compared:
// names out of the filter stand further on.
void setError(std::string_view text, Outcome& outcome) {
  if (startsWithOneOf(text, {"out of memory", "out of dynamic memory", "malloc"})) {
    return outcome.set(Status::kTooComplex, kOutOfMemory);
  }
  // The parser's stack, the optimiser's loop guard and the sixteen scratch registers.
  const bool bound = startsWithOneOf(
      text, {"can't parse filter expression: memory exhausted", "filter is too complex", "too many registers"});
  outcome.set(bound ? Status::kTooComplex : Status::kRefused, text);
}

void setProgram(const Instruction* instructions, size_t count, uint8_t flags, Outcome& outcome) {
  outcome.status = Status::kProgram;
  outcome.flags = flags;
  outcome.size = static_cast<uint32_t>(count * sizeof *instructions);
  std::memcpy(outcome.payload, instructions, outcome.size);
}

}  // namespace

void compileFilter(const Libpcap& library, const Request& request, Outcome& outcome) {
  char error[kErrorBytes] = {};
  Handle* handle = openEmptyCapture(library, request, error);
  if (!handle) return setError(error, outcome);

  Program program = {};
  if (library.compile(handle, &program, request.text.c_str(), request.optimise, kNetmaskUnknown) != 0) {
    const std::string_view text = library.errorText(handle);
    // Valid, and matching nothing: an export of no packets, not a failure.
    if (text == "expression rejects all packets") return setProgram(&kRejectAll, 1, kFlagRejectsAll, outcome);
    return setError(text, outcome);
  }
  if (program.count > kMaxInstructions) return outcome.set(Status::kTooComplex, kTooLong);
  setProgram(program.instructions, program.count, 0, outcome);
  // Nothing is freed: the child ends here.
}

}  // namespace spillway::compile
