// The few parts of libpcap that compiling needs, loaded at run time: building needs no headers, and a machine without
// the library gets a sentence instead of a loader error.
#pragma once
#include <cstdint>
#include <cstdio>

namespace spillway::compile {

struct Instruction {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
};
static_assert(sizeof(Instruction) == 8);

struct Program {
  unsigned count;
  Instruction* instructions;
};

struct Handle;  // pcap_t

constexpr size_t kErrorBytes = 256;               // PCAP_ERRBUF_SIZE
constexpr uint32_t kNetmaskUnknown = 0xffffffff;  // PCAP_NETMASK_UNKNOWN

struct Libpcap {
  Handle* (*openSavefile)(FILE*, char* error);
  int (*compile)(Handle*, Program*, const char* text, int optimise, uint32_t netmask);
  char* (*errorText)(Handle*);
  const char* (*version)();
};

// nullptr, or the loader's text. The library stays loaded. SPILLWAY_LIBPCAP names another file to load.
const char* loadLibpcap(Libpcap& library);

}  // namespace spillway::compile
