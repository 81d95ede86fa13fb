// What a program needs of a packet, drawn from the program itself and so for every filter language that becomes one.
//
// Every packet of `link_type` that the program accepts (returns anything but 0 for) satisfies every clause: of the
// clause's alternatives, one at least covers a key that visitKeys (index/keys.h) gives for that packet. So a block of
// packets in which no key satisfies some clause holds no packet that the program would accept. Where nothing is proven
// there is no clause; never is one wrong.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "index/need.h"

namespace spillway {

// Clauses of one program, the most selective first.
constexpr size_t kMaxNeedClauses = 16;

// `code` is a program that Program::verify takes (8 bytes an instruction, little-endian); of one that it would refuse,
// and of one that jumps backwards, nothing is said. `never` is set when no packet can be accepted. The alternatives of
// a clause are sorted by kind and value and do not overlap; at most kMaxAlternatives values in all, where a range of
// addresses counts as one. A range of addresses may hold more of them than the filter's own network: a superset.
Needs needsOf(Bytes code, uint32_t link_type);

}  // namespace spillway
