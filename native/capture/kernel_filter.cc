#include "capture/kernel_filter.h"

#include <linux/filter.h>
#include <linux/if_packet.h>

namespace spillway::capture {
namespace {

using cbpf::Insn;

constexpr uint32_t kWhole = 0xffffffff;
constexpr Insn kTakeWhole{cbpf::kRetK, 0, 0, kWhole};
constexpr Insn kTakeNothing{cbpf::kRetK, 0, 0, 0};

// What the kernel knows of a frame, loaded from its negative offsets (SKF_AD_OFF).
constexpr Insn load(uint32_t what) { return {cbpf::kLdBAbs, 0, 0, static_cast<uint32_t>(SKF_AD_OFF) + what}; }

}  // namespace

std::vector<Insn> kernelFilter(Bytes program, bool skip_outgoing) {
  std::vector<Insn> filter;
  if (skip_outgoing) {
    filter.push_back(load(SKF_AD_PKTTYPE));
    filter.push_back({cbpf::kJeqK, 0, 1, PACKET_OUTGOING});
    filter.push_back(kTakeNothing);
  }
  if (program.empty()) {
    filter.push_back(kTakeWhole);
    return filter;
  }
  filter.push_back(load(SKF_AD_VLAN_TAG_PRESENT));
  filter.push_back({cbpf::kJeqK, 1, 0, 0});
  filter.push_back(kTakeWhole);
  // The job's program as it stands: its jumps are relative. What it returns is a number of bytes here.
  for (size_t at = 0; program.size - at >= sizeof(Insn); at += sizeof(Insn)) {
    const uint8_t* p = program.data + at;
    const Insn insn{load16(p), p[2], p[3], load32(p + 4)};
    const bool takes = insn.code == cbpf::kRetA || (insn.code == cbpf::kRetK && insn.k != 0);
    filter.push_back(takes ? kTakeWhole : insn);
  }
  return filter;
}

std::vector<Insn> closingFilter() { return {kTakeNothing}; }

}  // namespace spillway::capture
