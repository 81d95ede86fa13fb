// The program that the kernel runs: a widening of the job's.
#pragma once
#include <vector>

#include "base/bytes.h"
#include "filter/cbpf.h"

namespace spillway::capture {

// The kernel sees frames whose VLAN tag it has taken out, so the job's program would answer differently there. It
// takes, at full length, every frame that carries a tag and every other that the program takes; the program itself
// runs on the whole frame once the tag is back. `program`: 8 bytes an instruction, verified; empty takes all.
// `skip_outgoing`: frames that this machine sends are not taken (on `lo` every frame comes twice).
//
// Also where kernel and filter/program.h differ, the kernel takes more: loads from its negative offsets, which are
// beyond every packet here, end in a rejection here.
std::vector<cbpf::Insn> kernelFilter(Bytes program, bool skip_outgoing);

// A filter that takes nothing: it ends the intake of a socket, and no packet falls between taken and counted.
std::vector<cbpf::Insn> closingFilter();

}  // namespace spillway::capture
