#include "filter/program.h"

#include "base/limits.h"

namespace spillway {

using namespace cbpf;

// The instructions in the order of the interpreter's table: X(name, code).
// The formatter wraps them anew at every run.
// clang-format off
#define SPILLWAY_CBPF(X) \
  X(LdWAbs) X(LdHAbs) X(LdBAbs) X(LdWInd) X(LdHInd) X(LdBInd) X(LdImm) X(LdMem) X(LdLen) X(LdxImm) X(LdxMem) \
  X(LdxLen) X(LdxMsh) X(St) X(Stx) X(AddK) X(SubK) X(MulK) X(DivK) X(OrK) X(AndK) X(LshK) X(RshK) X(Neg) X(ModK) \
  X(XorK) X(AddX) X(SubX) X(MulX) X(DivX) X(OrX) X(AndX) X(LshX) X(RshX) X(ModX) X(XorX) X(Ja) X(JeqK) X(JgtK) \
  X(JgeK) X(JsetK) X(JeqX) X(JgtX) X(JgeX) X(JsetX) X(RetK) X(RetA) X(Tax) X(Txa)
// clang-format on

namespace {

enum Dense : uint16_t {
#define SPILLWAY_DENSE(name) d##name,
  SPILLWAY_CBPF(SPILLWAY_DENSE)
#undef SPILLWAY_DENSE
      kDenseCount
};

// The dense number of a code, or kDenseCount where no instruction has it.
uint16_t denseOf(uint16_t code) {
  switch (code) {
#define SPILLWAY_CASE(name) \
  case k##name:             \
    return d##name;
    SPILLWAY_CBPF(SPILLWAY_CASE)
#undef SPILLWAY_CASE
    default:
      return kDenseCount;
  }
}

bool isReturn(uint16_t code) { return code == kRetK || code == kRetA; }
bool isConditional(uint16_t code) { return (code & 7) == 5 && code != kJa; }
bool usesScratch(uint16_t code) { return code == kLdMem || code == kLdxMem || code == kSt || code == kStx; }
bool dividesByConstant(uint16_t code) { return code == kDivK || code == kModK; }

std::string at(size_t index, const std::string& what) { return "instruction " + std::to_string(index) + " " + what; }

}  // namespace

std::unique_ptr<Program> Program::verify(Bytes code, std::string* why) {
  const size_t count = code.size / sizeof(Insn);
  const auto refuse = [&](std::string text) {
    *why = std::move(text);
    return nullptr;
  };
  if (count == 0 || code.size % sizeof(Insn) != 0) return refuse("the program has no whole instructions");
  if (count > limits::kMaxProgramInsns)
    return refuse("the program is longer than " + std::to_string(limits::kMaxProgramInsns) + " instructions");
  auto program = std::make_unique<Program>();
  program->ops_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = code.data + i * sizeof(Insn);
    const Insn insn{load16(p), p[2], p[3], load32(p + 4)};
    Op& op = program->ops_[i];
    op = {denseOf(insn.code), 0, insn.k, 0, 0};
    if (op.code == kDenseCount) return refuse(at(i, "is unknown"));
    if (usesScratch(insn.code) && insn.k >= kMemWords)
      return refuse(at(i, "uses scratch word " + std::to_string(insn.k)));
    if (dividesByConstant(insn.code) && insn.k == 0) return refuse(at(i, "divides by zero"));
    if (insn.code == kJa) {
      // Counted modulo 2^32, so that a large k is a jump backwards.
      const uint32_t target = static_cast<uint32_t>(i + 1) + insn.k;
      if (target >= count) return refuse(at(i, "jumps outside the program"));
      op.jt = target;
      if (target <= i) program->jumps_back_ = true;
    } else if (isConditional(insn.code)) {
      op.jt = static_cast<uint32_t>(i + 1 + insn.jt);
      op.jf = static_cast<uint32_t>(i + 1 + insn.jf);
      if (op.jt >= count || op.jf >= count) return refuse(at(i, "jumps outside the program"));
    } else if (i + 1 == count && !isReturn(insn.code)) {
      return refuse(at(i, "is the last and does not return"));
    }
  }
  // A conditional jump as the last instruction already jumps outside; a jump backwards may end a program only if it
  // is never fallen through, which an unconditional jump is not. libpcap asks for a return all the same.
  if (!isReturn(load16(code.data + (count - 1) * sizeof(Insn))))
    return refuse("the program does not end with a return");
  return program;
}

uint32_t Program::run(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const {
  return jumps_back_ ? interpret<true>(data, caplen, wirelen) : interpret<false>(data, caplen, wirelen);
}

template <bool kBudget>
uint32_t Program::interpret(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const {
  static const void* const kLabels[] = {
#define SPILLWAY_LABEL(name) &&l##name,
      SPILLWAY_CBPF(SPILLWAY_LABEL)
#undef SPILLWAY_LABEL
  };
  const Op* const ops = ops_.data();
  const Op* op = ops;
  uint32_t a = 0;
  uint32_t x = 0;
  uint32_t memory[kMemWords];
  uint32_t steps = 0;
  bool cleared = false;
  // An offset may wrap: 64 bits keep the sum of X, k and a size exact.
  uint64_t offset;

#define DISPATCH()                                                \
  do {                                                            \
    if (kBudget && ++steps > limits::kMaxBackwardSteps) return 0; \
    goto* kLabels[op->code];                                      \
  } while (0)
#define NEXT()  \
  do {          \
    ++op;       \
    DISPATCH(); \
  } while (0)
#define LOAD(bytes, from, expression)        \
  do {                                       \
    offset = (from);                         \
    if (offset + (bytes) > caplen) return 0; \
    a = (expression);                        \
    NEXT();                                  \
  } while (0)
#define BRANCH(condition)                       \
  do {                                          \
    op = ops + ((condition) ? op->jt : op->jf); \
    DISPATCH();                                 \
  } while (0)
// Scratch memory is cleared on its first use, so that a load before any store is 0 and most programs pay nothing.
#define SCRATCH()                            \
  do {                                       \
    if (!cleared) {                          \
      std::memset(memory, 0, sizeof memory); \
      cleared = true;                        \
    }                                        \
  } while (0)

  DISPATCH();
lLdWAbs:
  LOAD(4, op->k, swap32(load32(data + offset)));
lLdHAbs:
  LOAD(2, op->k, swap16(load16(data + offset)));
lLdBAbs:
  LOAD(1, op->k, data[offset]);
// libpcap adds X and k in 32 bits and refuses a sum that wraps; the exact sum is beyond any packet then.
lLdWInd:
  LOAD(4, static_cast<uint64_t>(x) + op->k, swap32(load32(data + offset)));
lLdHInd:
  LOAD(2, static_cast<uint64_t>(x) + op->k, swap16(load16(data + offset)));
lLdBInd:
  LOAD(1, static_cast<uint64_t>(x) + op->k, data[offset]);
lLdImm:
  a = op->k;
  NEXT();
lLdMem:
  SCRATCH();
  a = memory[op->k];
  NEXT();
lLdLen:
  a = wirelen;
  NEXT();
lLdxImm:
  x = op->k;
  NEXT();
lLdxMem:
  SCRATCH();
  x = memory[op->k];
  NEXT();
lLdxLen:
  x = wirelen;
  NEXT();
lLdxMsh:
  if (op->k >= caplen) return 0;
  x = (data[op->k] & 0xfu) << 2;
  NEXT();
lSt:
  SCRATCH();
  memory[op->k] = a;
  NEXT();
lStx:
  SCRATCH();
  memory[op->k] = x;
  NEXT();
lAddK:
  a += op->k;
  NEXT();
lSubK:
  a -= op->k;
  NEXT();
lMulK:
  a *= op->k;
  NEXT();
lDivK:
  a /= op->k;
  NEXT();
lOrK:
  a |= op->k;
  NEXT();
lAndK:
  a &= op->k;
  NEXT();
lLshK:
  a = op->k < 32 ? a << op->k : 0;
  NEXT();
lRshK:
  a = op->k < 32 ? a >> op->k : 0;
  NEXT();
lNeg:
  a = 0u - a;
  NEXT();
lModK:
  a %= op->k;
  NEXT();
lXorK:
  a ^= op->k;
  NEXT();
lAddX:
  a += x;
  NEXT();
lSubX:
  a -= x;
  NEXT();
lMulX:
  a *= x;
  NEXT();
lDivX:
  if (x == 0) return 0;
  a /= x;
  NEXT();
lOrX:
  a |= x;
  NEXT();
lAndX:
  a &= x;
  NEXT();
lLshX:
  a = x < 32 ? a << x : 0;
  NEXT();
lRshX:
  a = x < 32 ? a >> x : 0;
  NEXT();
lModX:
  if (x == 0) return 0;
  a %= x;
  NEXT();
lXorX:
  a ^= x;
  NEXT();
lJa:
  op = ops + op->jt;
  DISPATCH();
lJeqK:
  BRANCH(a == op->k);
lJgtK:
  BRANCH(a > op->k);
lJgeK:
  BRANCH(a >= op->k);
lJsetK:
  BRANCH((a & op->k) != 0);
lJeqX:
  BRANCH(a == x);
lJgtX:
  BRANCH(a > x);
lJgeX:
  BRANCH(a >= x);
lJsetX:
  BRANCH((a & x) != 0);
lRetK:
  return op->k;
lRetA:
  return a;
lTax:
  x = a;
  NEXT();
lTxa:
  a = x;
  NEXT();

#undef DISPATCH
#undef NEXT
#undef LOAD
#undef BRANCH
#undef SCRATCH
}

}  // namespace spillway
