// Programs at random that look at what packets are indexed by.
#pragma once
#include "filter/program_cases.h"
#include "random.h"

namespace spillway::test {

struct RandomProgram {
  Code code;
  uint32_t link_type;
};

// One of needsCases() as it is or changed in a few places, two of them one after the other, or a new one. Nearly all
// are valid: Program::verify says.
RandomProgram randomProgram(Random& random);

}  // namespace spillway::test
