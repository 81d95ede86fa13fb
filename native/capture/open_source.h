// Which way packets of an interface are taken.
#pragma once
#include <memory>

#include "capture/failure.h"
#include "capture/packet_source.h"
#include "capture/source_options.h"

namespace spillway::capture {

// AF_PACKET, and libpcap where that can't: systems without such sockets, frames that have no link type there, and what
// is no network interface (`any`, `usbmon1`, `nflog:5`). Where neither can, AF_PACKET's failure is told.
Failed openSource(const SourceOptions& options, std::unique_ptr<PacketSource>* source);

}  // namespace spillway::capture
