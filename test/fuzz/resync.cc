// Any bytes as a file in ranges, divided anywhere, each range begun by a guess: it must give what one range gives.
#include "../native/ranges.h"

#include "mutate.h"
#include "scan_laws.h"

using namespace spillway;
using namespace spillway::fuzz;

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  const bool ng = size >= 4 ? load32(data) == pcapng::kSectionHeader : seed % 2 == 0;
  return ng ? mutate(data, size, max_size, seed, freshPcapng, repairPcapng)
            : mutate(data, size, max_size, seed, freshPcap, repairPcap);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Control control(data, size);
  if (control.file.size < 2) return 0;
  static constexpr Format kFormats[] = {Format::pcapng_us, Format::pcapng_ns, Format::pcap_us, Format::pcap_ns};
  const Format format = kFormats[control.below(4)];
  const auto snap = static_cast<uint32_t>(control.below(2) * control.below(40));
  Drive how;
  how.capacity = control.below(256) * 8;
  how.budget = 1 + control.below(256);
  std::vector<uint64_t> cuts;
  for (size_t n = 1 + control.below(4); n > 0; --n)
    cuts.push_back(1 + (control.below(256) * 257 + control.below(256)) % (control.file.size - 1));
  std::sort(cuts.begin(), cuts.end());

  static MemoryFile memory;
  memory.set(control.file);
  const auto select = [&] { return selectAll(format, snap); };
  const Outcome whole = scanFile(memory, select(), how);
  // The ranges don't know of one another's link types; that is for whoever puts them in order.
  if (whole.status == Status::mixed_link_types) return 0;
  const Ranged ranged = scanInRanges(memory, cuts, select, how, canary());
  ENSURE(ranged.last.status == whole.status);
  ENSURE(ranged.out == whole.out);
  ENSURE(ranged.packets == whole.counts.packets_out);
  ENSURE(ranged.last.counts.end == whole.counts.end);
  ENSURE(ranged.last.damage == whole.damage);
  ENSURE(ranged.last.state == whole.state);
  ENSURE(ranged.last.counts.interface_count == whole.counts.interface_count);
  return 0;
}
