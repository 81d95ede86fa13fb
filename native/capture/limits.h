// Every limit of the capture executable, with its reason, in one place.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway::capture::limits {

// The kernel's ring and its blocks, in bytes. A block is handed over when it is full or its timeout has passed.
constexpr uint64_t kRingBytes = 64ull << 20;
constexpr uint64_t kMinRingBytes = 2ull << 20;
constexpr uint64_t kMaxRingBytes = 4ull << 30;
constexpr uint32_t kRingBlockBytes = 1u << 20;

// The times that add up until a packet is visible, in milliseconds; the commit law is 500 in all.
constexpr int kBlockTimeoutMs = 100;   // a block that does not fill
constexpr int kBufferTimeoutMs = 100;  // a buffer that does not fill
constexpr int kCommitMs = 250;         // from commit to commit

// What may wait between the thread that empties the ring and the one that writes, all interfaces together. At 6 Gb/s
// 256 MiB bridge a stall of a third of a second, before the ring's own 64 MiB.
constexpr uint64_t kQueueBytes = 256ull << 20;
constexpr uint64_t kMinQueueBytes = 8ull << 20;  // of one interface
constexpr uint64_t kMaxQueueBytes = 16ull << 30;
constexpr size_t kBufferBytes = 1u << 20;

// Under load a segment is written in pieces that end at multiples of this: the page cache then holds it in large
// folios.
constexpr uint64_t kPieceBytes = 2ull << 20;

// Written bytes are pushed towards the disk whenever this many have come together, so that no commit has to wait for
// a mountain of dirty pages.
constexpr uint64_t kPushBytes = 8ull << 20;

// Captured bytes of a packet: libpcap's MAXIMUM_SNAPLEN. The largest frame that Linux makes (a GSO frame) is half of
// it.
constexpr uint32_t kMaxSnapBytes = 262144;

// Size of a segment: small enough that retention lets go in small steps, large enough that files stay few.
constexpr uint64_t kMinSegmentBytes = 1ull << 20;
constexpr uint64_t kMaxSegmentBytes = 4ull << 30;
constexpr uint64_t kUsualSegmentBytes = 256ull << 20;
// With a retention limit a segment is this part of it at most, so that what is dropped at once is a small part.
constexpr uint64_t kSegmentsPerBuffer = 32;

// A segment that has packets is sealed after this long, so that it can be read by any tool and be retained by age.
constexpr int64_t kMaxSegmentSeconds = 3600;

// How often an idle interface is looked after, in milliseconds: link state, losses.
constexpr int kLinkCheckMs = 250;
// How long a failed write waits before it is tried again.
constexpr int kWriteRetryMs = 200;
// How long an ending capture waits for a disk that is full or broken.
constexpr int kStopDeadlineMs = 5000;

// Interfaces of one job: each has two threads and a ring.
constexpr size_t kMaxInterfaces = 64;

// The job's program as the kernel takes it (BPF_MAXINSNS).
constexpr size_t kMaxKernelInsns = 4096;

// The control socket: clients at once, bytes of a command line, milliseconds a client may be silent.
constexpr size_t kMaxControlClients = 16;
constexpr size_t kMaxCommandBytes = 256;
constexpr int kControlIdleMs = 30'000;

// The record of losses begins anew with its newer half when it is larger than this at a start: 170,000 losses.
constexpr uint64_t kMaxLossBytes = 8u << 20;

// The log of a capture in the background is begun anew when it is larger than this at a start.
constexpr uint64_t kMaxLogBytes = 1u << 20;

}  // namespace spillway::capture::limits
