// Any bytes, mostly like pcap, through the reader and the scan.
#include "format/pcap_reader.h"

#include "mutate.h"
#include "scan_laws.h"

using namespace spillway;
using namespace spillway::fuzz;

namespace {

// The reader alone, over a heap block of just the file's size: it must not look beyond it, and see what the scan sees.
void checkReader(Bytes file) {
  if (!PcapReader::recognises(file)) return;
  const Outcome scanned = scanStream(file, SIZE_MAX, selectAll(Format::none));
  const Exact block(file.data, file.size);
  PcapReader::Header header;
  std::string damage;
  Next next = PcapReader::readHeader(block.bytes(), &header, &damage);
  if (next != Next::section) {
    ENSURE(scanned.status == Status::damage);
    return;
  }
  PcapReader reader(header);
  Packet packet;
  size_t at = pcap::kFileHeaderBytes;
  uint64_t packets = 0;
  while ((next = reader.next(block.data() + at, block.size() - at, &packet)) == Next::packet) {
    ENSURE(packet.record.size > packet.caplen);
    at += packet.record.size;
    ++packets;
  }
  ENSURE(packets == scanned.counts.packets_read);
  ENSURE(at == scanned.counts.end);
  ENSURE((scanned.status == Status::done) == (at == block.size()));
  for (size_t from = at % 7; from < block.size(); from += 7)
    for (const bool at_end : {false, true}) reader.plausible(block.data() + from, block.size() - from, at_end);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return mutate(data, size, max_size, seed, freshPcap, repairPcap);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Control control(data, size);
  checkReader(control.file);
  checkScanLaws(Control(data, size));
  return 0;
}
