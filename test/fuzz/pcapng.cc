// Any bytes, mostly like PCAPNG, through the reader and the scan.
#include "format/pcapng_reader.h"

#include "mutate.h"
#include "scan_laws.h"

using namespace spillway;
using namespace spillway::fuzz;

namespace {

// The reader alone, over a heap block of just the file's size: it must not look beyond it, and see what the scan sees.
void checkReader(Bytes file) {
  if (!PcapngReader::recognises(file)) return;
  const Outcome scanned = scanStream(file, SIZE_MAX, selectAll(Format::none));
  const Exact block(file.data, file.size);
  PcapngReader reader;
  Packet packet;
  size_t at = 0;
  uint64_t packets = 0;
  uint64_t skipped = 0;
  for (;;) {
    const Next next = reader.next(block.data() + at, block.size() - at, &packet);
    if (next == Next::need_more || next == Next::damage) break;
    ENSURE(packet.record.size >= 12 && packet.record.size <= block.size() - at);
    if (next == Next::packet) {
      ENSURE(packet.data >= packet.record.data &&
             packet.data + packet.caplen <= packet.record.data + packet.record.size);
      ENSURE(packet.options.empty() ||
             packet.options.data + packet.options.size <= packet.record.data + packet.record.size);
      ENSURE(packet.interface < reader.interfaces().size());
    }
    packets += next == Next::packet;
    skipped += next == Next::skipped;
    at += packet.record.size;
  }
  ENSURE(packets == scanned.counts.packets_read);
  ENSURE(skipped == scanned.counts.blocks_skipped);
  ENSURE(at == scanned.counts.end);
  ENSURE((scanned.status == Status::done) == (at == block.size()));
  for (size_t from = 0; from < block.size(); from += 4)
    for (const bool at_end : {false, true}) reader.plausible(block.data() + from, block.size() - from, at_end);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return mutate(data, size, max_size, seed, freshPcapng, repairPcapng);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Control control(data, size);
  checkReader(control.file);
  checkScanLaws(Control(data, size));
  return 0;
}
