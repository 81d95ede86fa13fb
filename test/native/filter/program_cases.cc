#include "filter/program_cases.h"

#include <algorithm>

namespace spillway::test {

using namespace cbpf;

namespace {

const Buffer kPacket = {0x45, 0x11, 0x22, 0x33, 0x80, 0x99, 0xaa, 0xbb};
constexpr uint32_t kTop = 0x80000000;
constexpr uint32_t kAll = 0xffffffff;

Insn op(uint16_t code, uint32_t k = 0) { return {code, 0, 0, k}; }
Insn jump(uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) { return {code, jt, jf, k}; }

// The value left in A, or in X.
Code resultA(Code code) {
  code.push_back(op(kRetA));
  return code;
}
Code resultX(Code code) {
  code.push_back(op(kTxa));
  return resultA(std::move(code));
}

// One row each: A = a, then the operation with k, and with X = k.
struct Arithmetic {
  const char* name;
  uint16_t with_k, with_x;
  uint32_t a, k, want;
};
const Arithmetic kArithmetic[] = {
    {"add wraps", kAddK, kAddX, kAll, 2, 1},
    {"sub wraps", kSubK, kSubX, 1, 2, kAll},
    {"mul wraps", kMulK, kMulX, 0x10001, 0x10001, 0x20001},
    {"mul of the largest", kMulK, kMulX, kAll, kAll, 1},
    {"div", kDivK, kDivX, kAll, 16, 0x0fffffff},
    {"div is unsigned", kDivK, kDivX, kTop, kAll, 0},
    {"mod", kModK, kModX, kAll, 16, 15},
    {"mod is unsigned", kModK, kModX, kTop, kAll, kTop},
    {"or", kOrK, kOrX, 0xf0, 0x0f, 0xff},
    {"and", kAndK, kAndX, 0xf3, 0x3f, 0x33},
    {"xor", kXorK, kXorX, 0xf3, 0x3f, 0xcc},
    {"shift left by 0", kLshK, kLshX, 5, 0, 5},
    {"shift left by 31", kLshK, kLshX, 3, 31, kTop},
    {"shift right by 0", kRshK, kRshX, kTop, 0, kTop},
    {"shift right by 31", kRshK, kRshX, kTop, 31, 1},
    // Beyond the width nothing is left.
    {"shift left by 32", kLshK, kLshX, kAll, 32, 0},
    {"shift left by 2^31", kLshK, kLshX, kAll, kTop, 0},
    {"shift left by 2^32-1", kLshK, kLshX, kAll, kAll, 0},
    {"shift right by 32", kRshK, kRshX, kAll, 32, 0},
    {"shift right by 33", kRshK, kRshX, kAll, 33, 0},
    {"shift right by 2^32-1", kRshK, kRshX, kAll, kAll, 0},
};

// A = a; jump if it compares so with k (or X = k): 1, else 0.
struct Comparison {
  const char* name;
  uint16_t with_k, with_x;
  uint32_t a, k;
  bool want;
};
const Comparison kComparisons[] = {
    {"jeq yes", kJeqK, kJeqX, 7, 7, true},
    {"jeq no", kJeqK, kJeqX, 7, 8, false},
    {"jgt yes", kJgtK, kJgtX, 8, 7, true},
    {"jgt equal", kJgtK, kJgtX, 7, 7, false},
    {"jgt is unsigned", kJgtK, kJgtX, kTop, 0x7fffffff, true},
    {"jge equal", kJgeK, kJgeX, 7, 7, true},
    {"jge no", kJgeK, kJgeX, 6, 7, false},
    {"jge of the largest", kJgeK, kJgeX, 0, kAll, false},
    {"jset yes", kJsetK, kJsetX, 6, 2, true},
    {"jset no", kJsetK, kJsetX, 5, 2, false},
    {"jset of the top bit", kJsetK, kJsetX, kTop, kTop, true},
    {"jset of nothing", kJsetK, kJsetX, kAll, 0, false},
};

std::vector<RunCase> singles() {
  return {
      {"ret k", {op(kRetK, 0x12345678)}, {}, 0, 0x12345678},
      {"ret a begins as 0", {op(kRetA)}, {}, 9, 0},
      {"x begins as 0", resultX({}), {}, 9, 0},
      {"ld imm", resultA({op(kLdImm, kAll)}), {}, 0, kAll},
      {"ldx imm", resultX({op(kLdxImm, kAll)}), {}, 0, kAll},
      {"ld len is the wire's", resultA({op(kLdLen, 77)}), kPacket, 1500, 1500},
      {"ldx len is the wire's", resultX({op(kLdxLen, 77)}), kPacket, kAll, kAll},
      {"tax and txa", resultX({op(kLdImm, 5), op(kTax), op(kLdImm, 6)}), {}, 0, 5},
      {"neg", resultA({op(kLdImm, 1), op(kNeg)}), {}, 0, kAll},
      {"neg of 0", resultA({op(kNeg)}), {}, 0, 0},
      {"neg of 2^31", resultA({op(kLdImm, kTop), op(kNeg)}), {}, 0, kTop},
      {"div by x = 0", {op(kLdImm, 5), op(kDivX), op(kRetK, 1)}, {}, 0, 0},
      {"mod by x = 0", {op(kLdImm, 5), op(kModX), op(kRetK, 1)}, {}, 0, 0},
      // Loads: network byte order, to the last byte, and 0 beyond it.
      {"ldb first", resultA({op(kLdBAbs, 0)}), kPacket, 8, 0x45},
      {"ldb last", resultA({op(kLdBAbs, 7)}), kPacket, 8, 0xbb},
      {"ldb beyond", {op(kLdBAbs, 8), op(kRetK, 1)}, kPacket, 99, 0},
      {"ldh last", resultA({op(kLdHAbs, 6)}), kPacket, 8, 0xaabb},
      {"ldh beyond", {op(kLdHAbs, 7), op(kRetK, 1)}, kPacket, 99, 0},
      {"ld last", resultA({op(kLdWAbs, 4)}), kPacket, 8, 0x8099aabb},
      {"ld beyond", {op(kLdWAbs, 5), op(kRetK, 1)}, kPacket, 99, 0},
      {"ld unaligned", resultA({op(kLdWAbs, 1)}), kPacket, 8, 0x11223380},
      {"ld from an empty packet", {op(kLdBAbs, 0), op(kRetK, 1)}, {}, 99, 0},
      {"ld at 2^32-1", {op(kLdWAbs, kAll), op(kRetK, 1)}, kPacket, 8, 0},
      {"ld at 2^32-4", {op(kLdWAbs, 0xfffffffc), op(kRetK, 1)}, kPacket, 8, 0},
      {"ld indirect", resultA({op(kLdxImm, 3), op(kLdWInd, 1)}), kPacket, 8, 0x8099aabb},
      {"ldh indirect", resultA({op(kLdxImm, 6), op(kLdHInd, 0)}), kPacket, 8, 0xaabb},
      {"ldb indirect", resultA({op(kLdxImm, 0), op(kLdBInd, 7)}), kPacket, 8, 0xbb},
      {"ldb indirect beyond", {op(kLdxImm, 1), op(kLdBInd, 7), op(kRetK, 1)}, kPacket, 8, 0},
      {"ld indirect that would wrap", {op(kLdxImm, kAll), op(kLdWInd, 1), op(kRetK, 1)}, kPacket, 8, 0},
      {"ldb indirect that would wrap", {op(kLdxImm, kTop), op(kLdBInd, kTop), op(kRetK, 1)}, kPacket, 8, 0},
      {"ldxb msh", resultX({op(kLdxMsh, 0)}), kPacket, 8, 20},
      {"ldxb msh last", resultX({op(kLdxMsh, 7)}), kPacket, 8, 44},
      {"ldxb msh beyond", {op(kLdxMsh, 8), op(kRetK, 1)}, kPacket, 99, 0},
      {"ldxb msh keeps a", resultA({op(kLdImm, 3), op(kLdxMsh, 0)}), kPacket, 8, 3},
      // Scratch memory.
      {"scratch begins as 0", resultA({op(kLdImm, 9), op(kLdMem, 15)}), {}, 0, 0},
      {"ldx scratch begins as 0", resultX({op(kLdxImm, 9), op(kLdxMem, 0)}), {}, 0, 0},
      {"st, ld", resultA({op(kLdImm, 9), op(kSt, 15), op(kLdImm, 1), op(kLdMem, 15)}), {}, 0, 9},
      {"stx, ldx", resultX({op(kLdxImm, 9), op(kStx, 0), op(kLdxImm, 1), op(kLdxMem, 0)}), {}, 0, 9},
      {"st keeps the others", resultA({op(kLdImm, 9), op(kSt, 1), op(kLdImm, 8), op(kSt, 2), op(kLdMem, 1)}), {}, 0, 9},
      // Jumps.
      {"ja 0", {jump(kJa, 0, 9, 9), op(kRetK, 3)}, {}, 0, 3},
      {"ja over one", {jump(kJa, 1, 0, 0), op(kRetK, 3), op(kRetK, 4)}, {}, 0, 4},
      {"jeq far",
       [] {
         Code code = {op(kLdImm, 1), jump(kJeqK, 1, 255, 0), op(kRetK, 1)};
         code.resize(2 + 255, op(kRetK, 2));
         code.push_back(op(kRetK, 3));
         return code;
       }(),
       {},
       0,
       3},
      // Backwards: only the unconditional jump, and under a budget. 3 steps a round.
      {"counts down",
       {op(kLdImm, 10000), op(kSubK, 1), jump(kJeqK, 0, 1, 0), op(kJa, kAll - 2), op(kRetK, 5)},
       {},
       0,
       5},
      {"counts too long",
       {op(kLdImm, 30000), op(kSubK, 1), jump(kJeqK, 0, 1, 0), op(kJa, kAll - 2), op(kRetK, 5)},
       {},
       0,
       0},
      {"never ends", {op(kJa, kAll), op(kRetK, 5)}, {}, 0, 0},
  };
}

}  // namespace

std::vector<RunCase> runCases() {
  std::vector<RunCase> cases = singles();
  for (const Arithmetic& one : kArithmetic) {
    cases.push_back({one.name, resultA({op(kLdImm, one.a), op(one.with_k, one.k)}), {}, 0, one.want});
    cases.push_back({one.name, resultA({op(kLdImm, one.a), op(kLdxImm, one.k), op(one.with_x)}), {}, 0, one.want});
  }
  for (const Comparison& one : kComparisons) {
    cases.push_back(
        {one.name, {op(kLdImm, one.a), jump(one.with_k, one.k, 0, 1), op(kRetK, 1), op(kRetK, 0)}, {}, 0, one.want});
    cases.push_back({one.name,
                     {op(kLdImm, one.a), op(kLdxImm, one.k), jump(one.with_x, 0, 0, 1), op(kRetK, 1), op(kRetK, 0)},
                     {},
                     0,
                     one.want});
  }
  return cases;
}

std::vector<RefusedCase> refusedCases() {
  std::vector<RefusedCase> cases = {
      {"nothing", {}, "no whole instructions"},
      {"no return at the end", {op(kLdImm, 1)}, "does not return"},
      {"a return in front only", {op(kRetK, 1), op(kTax)}, "does not return"},
      {"jt outside", {jump(kJeqK, 0, 1, 0), op(kRetK, 0)}, "instruction 0 jumps outside"},
      {"jf outside", {op(kTax), jump(kJgtX, 0, 0, 255), op(kRetK, 0)}, "instruction 1 jumps outside"},
      {"a conditional jump at the end", {op(kRetK, 0), jump(kJsetK, 0, 0, 0)}, "jumps outside"},
      {"ja just outside", {op(kJa, 1), op(kRetK, 0)}, "jumps outside"},
      {"ja far outside", {op(kJa, 0x7fffffff), op(kRetK, 0)}, "jumps outside"},
      {"ja before the beginning", {op(kJa, kAll - 1), op(kRetK, 0)}, "jumps outside"},
      {"ja at the end", {op(kRetK, 0), op(kJa, kAll - 1)}, "end with a return"},
      {"div by 0", {op(kDivK, 0), op(kRetK, 0)}, "instruction 0 divides by zero"},
      {"mod by 0", {op(kModK, 0), op(kRetK, 0)}, "divides by zero"},
      {"div by 0 that is never reached", {op(kRetK, 0), op(kDivK, 0), op(kRetK, 0)}, "instruction 1 divides by zero"},
      {"too long", Code(65537, op(kRetK, 0)), "longer than 65536"},
  };
  for (const uint16_t code : {kLdMem, kLdxMem, kSt, kStx})
    for (const uint32_t k : {16u, 17u, kTop, kAll})
      cases.push_back({"scratch outside", {op(code, k), op(kRetK, 0)}, "scratch word"});
  return cases;
}

}  // namespace spillway::test
