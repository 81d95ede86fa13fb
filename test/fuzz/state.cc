// Any bytes as a reader's state, and a scan that goes on from it over any bytes: nothing but answers may come of it.
#include "scan/state.h"

#include "mutate.h"
#include "scan_laws.h"

using namespace spillway;
using namespace spillway::fuzz;

namespace {

// A state that is one, a file to go on with, and the choice of the state's length.
Buffer freshState(Random* random) {
  ReaderState state;
  const bool is_pcap = random->below(2) == 0;
  state.container = is_pcap ? Container::pcap : Container::pcapng;
  state.pcap = {random->below(2) != 0,
                random->below(2) != 0,
                random->below(2) != 0,
                2,
                static_cast<uint16_t>(random->below(5)),
                static_cast<uint32_t>(random->next()),
                static_cast<uint32_t>(random->below(200))};
  state.swapped = random->below(2) != 0;
  for (uint64_t n = random->below(4); n > 0; --n)
    state.interfaces.push_back({static_cast<uint32_t>(random->below(3)),
                                static_cast<uint32_t>(random->below(100)),
                                {random->below(2) != 0, static_cast<uint8_t>(random->below(128))},
                                static_cast<int64_t>(random->next()) >> random->below(64)});
  Buffer choices = random->bytes(12);
  const Buffer encoded = encodeState(state);
  choices[0] = static_cast<uint8_t>(encoded.size());
  return encoded + (is_pcap ? freshPcap(random) : freshPcapng(random)) + choices;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return mutate(data, size, max_size, seed, freshState, [](uint8_t*, size_t, Random*) {});
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Control control(data, size);
  const size_t state_size = std::min(control.below(200), control.file.size);
  const Exact state(control.file.data, state_size);
  const Exact file(control.file.data + state_size, control.file.size - state_size);

  ReaderState decoded, again;
  const bool accepted = decodeState(state.bytes(), &decoded);
  if (accepted) {
    Buffer encoded = encodeState(decoded);
    ENSURE(encoded.size() == state.size());
    // The bits of one interface are lost on the way.
    if (canary() && decoded.interfaces.size() == 2 && decoded.interfaces[1].offset_seconds != 0) encoded.back() ^= 1;
    ENSURE(decodeState(bytesOf(encoded), &again));
    ENSURE(again.interfaces.size() == decoded.interfaces.size());
    for (size_t i = 0; i < again.interfaces.size(); ++i) {
      ENSURE(again.interfaces[i].link_type == decoded.interfaces[i].link_type);
      ENSURE(again.interfaces[i].resolution == decoded.interfaces[i].resolution);
      ENSURE(again.interfaces[i].offset_seconds == decoded.interfaces[i].offset_seconds);
    }
    ENSURE(encodeState(again) == encodeState(decoded));
  }

  const Task task(&control);
  static MemoryFile memory;
  memory.set(file.bytes());
  for (const bool resync : {false, true}) {
    Scan scan(selectAll(task.format, task.snap));
    const uint64_t start = control.below(40);
    const bool opened =
        scan.openRange(memory.fd(), start, start + control.below(256) * 4, state.bytes(), resync, task.base);
    ENSURE(opened == (accepted || (state_size == 0 && start == 0 && !resync)));
    if (opened) drive(scan, task.how);
  }
  return 0;
}
