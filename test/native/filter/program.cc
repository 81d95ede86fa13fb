// The verifier and the interpreter, by the table of cases and by programs at random.
#include "filter/program.h"

#include <set>

#include "check.h"
#include "filter/program_cases.h"
#include "random.h"

namespace spillway::test {
namespace {

using namespace cbpf;

std::unique_ptr<Program> verified(const Code& code, std::string* why = nullptr) {
  std::string text;
  const Exact bytes(encoded(code));
  auto program = Program::verify(bytes.bytes(), &text);
  CHECK_EQ(program == nullptr, !text.empty());
  if (why) *why = text;
  return program;
}

// Every code that is an instruction. LD and LDX know sizes and modes, ALU and JMP operations and a source.
const std::set<uint16_t> kCodes = {
    kLdWAbs, kLdHAbs, kLdBAbs, kLdWInd, kLdHInd, kLdBInd, kLdImm, kLdMem, kLdLen, kLdxImm, kLdxMem, kLdxLen, kLdxMsh,
    kSt,     kStx,    kAddK,   kSubK,   kMulK,   kDivK,   kOrK,   kAndK,  kLshK,  kRshK,   kNeg,    kModK,   kXorK,
    kAddX,   kSubX,   kMulX,   kDivX,   kOrX,    kAndX,   kLshX,  kRshX,  kModX,  kXorX,   kJa,     kJeqK,   kJgtK,
    kJgeK,   kJsetK,  kJeqX,   kJgtX,   kJgeX,   kJsetX,  kRetK,  kRetA,  kTax,   kTxa};

}  // namespace

TEST("what programs return") {
  for (const RunCase& one : runCases()) {
    CONTEXT(one.name);
    std::string why;
    const auto program = verified(one.code, &why);
    CHECK_EQ(why, "");
    if (!program) continue;
    CHECK_EQ(program->size(), one.code.size());
    const Exact packet(one.packet);
    for (int round = 0; round < 2; ++round)
      CHECK_EQ(program->run(packet.data(), static_cast<uint32_t>(packet.size()), one.wirelen), one.want);
  }
}

TEST("what is refused, and why") {
  for (const RefusedCase& one : refusedCases()) {
    CONTEXT(one.name);
    std::string why;
    CHECK(verified(one.code, &why) == nullptr);
    CHECK(why.find(one.why) != std::string::npos);
  }
}

TEST("the longest program that is taken") { CHECK(verified(Code(65536, Insn{kRetK, 0, 0, 7})) != nullptr); }

TEST("bytes that are no whole instructions") {
  std::string why;
  const Buffer code = encoded({Insn{kRetK, 0, 0, 7}, Insn{kRetK, 0, 0, 7}});
  for (size_t size = 0; size <= code.size(); ++size) {
    CONTEXT("size " << size);
    const Exact cut(code.data(), size);
    CHECK_EQ(Program::verify(cut.bytes(), &why) != nullptr, size == 8 || size == 16);
  }
}

TEST("every code that is none is refused") {
  for (uint32_t code = 0; code <= 0xffff; ++code) {
    std::string why;
    const Insn insn{static_cast<uint16_t>(code), 0, 0, 1};
    const bool taken = verified({insn, Insn{kRetK, 0, 0, 1}, Insn{kRetK, 0, 0, 1}}, &why) != nullptr;
    if (taken == (kCodes.count(static_cast<uint16_t>(code)) != 0)) continue;
    CONTEXT("code " << code << ": " << why);
    CHECK(false);
  }
}

TEST("the budget is 65536 instructions") {
  // `rounds` rounds of four instructions, and four more around them.
  const auto countdown = [](uint32_t rounds) {
    return Code{{kLdImm, 0, 0, rounds}, {kSubK, 0, 0, 1},        {kTax, 0, 0, 0},
                {kJeqK, 1, 0, 0},       {kJa, 0, 0, 0xfffffffc}, {kRetK, 0, 0, 5}};
  };
  // 1 + 4 * rounds - 1 + 1 instructions run.
  CHECK_EQ(verified(countdown(16383))->run(nullptr, 0, 0), 5u);
  CHECK_EQ(verified(countdown(16384))->run(nullptr, 0, 0), 0u);
  // A program that only goes forward has no budget.
  Code forward(65535, Insn{kAddK, 0, 0, 1});
  forward.push_back({kRetA, 0, 0, 0});
  CHECK_EQ(verified(forward)->run(nullptr, 0, 0), 65535u);
}

TEST("programs at random never read outside their packet") {
  Random random(9);
  const std::vector<uint16_t> codes(kCodes.begin(), kCodes.end());
  size_t ran = 0;
  for (int round = 0; round < 30000; ++round) {
    Code code(1 + random.below(12));
    for (Insn& insn : code) {
      static constexpr uint32_t kEdges[] = {0,  1,  2,  3,          4,          7,          15,
                                            16, 31, 32, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
      insn = {codes[random.below(codes.size())], static_cast<uint8_t>(random.below(6)),
              static_cast<uint8_t>(random.below(6)),
              random.below(3) == 0 ? static_cast<uint32_t>(random.below(24)) : kEdges[random.below(std::size(kEdges))]};
    }
    code.push_back({random.below(2) == 0 ? kRetA : kRetK, 0, 0, 1});
    const Exact bytes(encoded(code));
    std::string why;
    const auto program = Program::verify(bytes.bytes(), &why);
    if (!program) continue;
    ++ran;
    const Exact packet(random.bytes(random.below(20)));
    const uint32_t first = program->run(packet.data(), static_cast<uint32_t>(packet.size()), 99);
    CHECK_EQ(program->run(packet.data(), static_cast<uint32_t>(packet.size()), 99), first);
  }
  CHECK(ran > 3000);
}

}  // namespace spillway::test
