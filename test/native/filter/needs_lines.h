// Small programs that accept what passes a row of tests.
#pragma once
#include <vector>

#include "filter/needs_text.h"

namespace spillway::test {

// kOr goes to the next instruction where a test fails, kNot fails where it is true.
enum Then : uint8_t { kAnd, kOr, kNot };
struct Step {
  uint16_t code;
  uint32_t k;
  Then then = kAnd;
};

// Accepts what passes all tests. A test with kOr is one alternative of those up to the next test without it.
Code line(const std::vector<Step>& steps);

// What a program needs, as text.
std::string needsText(const Code& code, uint32_t link_type = 1);

// Steps that most have.
inline const Step kType = {cbpf::kLdHAbs, 12};
inline const Step kIp4 = {cbpf::kJeqK, 0x800};
inline const Step kIp6 = {cbpf::kJeqK, 0x86dd};
inline const Step kTag = {cbpf::kJeqK, 0x8100};
inline const Step kAddress = {cbpf::kJeqK, 0x0a000001};

}  // namespace spillway::test
