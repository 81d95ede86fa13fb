// One table of programs: every instruction with edge values, what it returns, and what is refused.
#pragma once
#include <string>
#include <vector>

#include "buffer.h"
#include "filter/cbpf.h"

namespace spillway::test {

using Code = std::vector<cbpf::Insn>;

struct RunCase {
  const char* name;
  Code code;
  Buffer packet;
  uint32_t wirelen;
  uint32_t want;
};

struct RefusedCase {
  const char* name;
  Code code;
  const char* why;  // a part of the sentence
};

std::vector<RunCase> runCases();
std::vector<RefusedCase> refusedCases();

// The bytes of a program.
inline Buffer encoded(const Code& code) {
  Buffer to(code.size() * 8);
  for (size_t i = 0; i < code.size(); ++i) {
    store16(&to[i * 8], code[i].code);
    to[i * 8 + 2] = code[i].jt;
    to[i * 8 + 3] = code[i].jf;
    store32(&to[i * 8 + 4], code[i].k);
  }
  return to;
}

}  // namespace spillway::test
