// Every limit of the data plane, with its reason, in one place.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway::limits {

// Largest PCAPNG block and largest captured length read, in bytes. libpcap and Wireshark draw the line here too;
// beyond it a length is more likely damage than a packet.
constexpr uint32_t kMaxBlockBytes = 16u << 20;

// Largest block of the index that is read whole, in bytes: it ends behind the record that fills it, which may be one of
// the largest.
constexpr uint32_t kMaxCheckedBytes = kMaxBlockBytes + (128u << 10);

// A pcap captured length may be this large whatever the header's snap length says (libpcap's MAXIMUM_SNAPLEN):
// many writers put a smaller number there than they keep to.
constexpr uint32_t kMaxUsualCaplen = 262144;

// Interfaces of one output stream, all sources together. Bounds the table that every worker holds.
constexpr uint32_t kMaxInterfaces = 65536;

// Instructions of a filter program. libpcap's own bound is BPF_MAXINSNS 4096 in kernels; large or-ed lists pass it
// in user space and are still cheap to hold.
constexpr uint32_t kMaxProgramInsns = 65536;

// Filters that may be and-ed in one selection.
constexpr uint32_t kMaxFilters = 64;

// Instructions one packet may cost in a program with a backward jump (libpcap's protochain).
constexpr uint32_t kMaxBackwardSteps = 65536;

// Bytes read at once from a file: it stays in the second-level cache between the copy out of the page cache and the
// walk.
constexpr size_t kReadBytes = 256u << 10;

// Records that must follow one another for a guessed record boundary to be believed.
constexpr int kResyncChain = 24;

}  // namespace spillway::limits
