#include "capture/open_source.h"

#include "capture/af_packet.h"
#include "capture/pcap_source.h"

namespace spillway::capture {

Failed openSource(const SourceOptions& options, std::unique_ptr<PacketSource>* source) {
  if (options.libpcap) return PcapSource::open(options, source);
  Failed failure = AfPacket::open(options, source);
  // libpcap has no more rights and no more memory than we have.
  if (!failure || failure->code == Code::not_permitted || failure->code == Code::no_memory) return failure;
  return PcapSource::open(options, source) ? failure : std::nullopt;
}

}  // namespace spillway::capture
