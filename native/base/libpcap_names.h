// The names by which libpcap is found at run time.
#pragma once

namespace spillway {

// Debian's, upstream's, and that of systems without versions.
constexpr const char* kLibpcapNames[] = {"libpcap.so.0.8", "libpcap.so.1", "libpcap.so"};

}  // namespace spillway
