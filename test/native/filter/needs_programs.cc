#include "filter/needs_programs.h"

#include "filter/needs_cases.h"
#include "filter/needs_text.h"
#include "index/packets.h"

namespace spillway::test {

using namespace cbpf;

namespace {

bool isJump(uint16_t code) { return (code & 7) == 5; }
bool isLoad(uint16_t code) { return (code & 7) < 2 && (code & 0xe0) != 0x60 && (code & 0xe0) != 0x80; }

// Offsets of keys and their guards, at any depth of tags and for all link types, and some beside them.
uint32_t randomOffset(Random& random) {
  static const std::vector<uint32_t> kOffsets = {0,  2,  4,  6,  8,  9,  10, 12, 14, 16, 18, 20, 22, 23, 24, 26, 27,
                                                 28, 30, 31, 32, 34, 38, 40, 42, 44, 46, 48, 50, 54, 56, 58, 60, 62};
  return random.below(16) == 0 ? static_cast<uint32_t>(random.below(80)) : pick(random, kOffsets);
}

uint32_t word(const Buffer& bytes, size_t at) { return swap32(load32(&bytes[at])); }

uint32_t randomValue(Random& random) {
  static const std::vector<uint32_t> kSome = {0,    1,     2,    4,      0x40,   0x60,      0x45,
                                              0xff, 0xfff, 0xf0, 0x88a8, 0x9100, 0xff000000};
  switch (random.below(10)) {
    case 0:
      return pick(random, kIp4Pool);
    case 1:
      return word(pick(random, kIp6Pool), random.below(4) * 4);
    case 2:
      return pick(random, kPortPool);
    case 3:
      return pick(random, kVlanPool);
    case 4:
      return pick(random, kProtocolPool);
    case 5:
      return pick(random, kEtherTypePool);
    case 6:
      return word(pick(random, kMacPool), 2);
    case 7:
      return static_cast<uint32_t>(random.next() >> random.below(64));
    default:
      return pick(random, kSome);
  }
}

uint16_t randomCode(Random& random) {
  // As often as programs have them.
  static const std::vector<uint16_t> kCodes = {
      kLdWAbs, kLdWAbs, kLdHAbs, kLdHAbs, kLdBAbs, kLdBAbs, kLdWInd, kLdHInd, kLdHInd, kLdBInd, kLdImm,
      kLdMem,  kLdLen,  kLdxImm, kLdxMem, kLdxLen, kLdxMsh, kLdxMsh, kSt,     kStx,    kAddK,   kSubK,
      kMulK,   kDivK,   kOrK,    kAndK,   kAndK,   kLshK,   kRshK,   kRshK,   kNeg,    kModK,   kXorK,
      kAddX,   kSubX,   kAndX,   kRshX,   kJa,     kJeqK,   kJeqK,   kJeqK,   kJeqK,   kJgtK,   kJgtK,
      kJgeK,   kJgeK,   kJsetK,  kJsetK,  kJeqX,   kJgtX,   kRetK,   kRetA,   kTax,    kTxa};
  return pick(random, kCodes);
}

// `left` instructions follow it.
Insn randomInsn(Random& random, size_t left) {
  Insn insn{randomCode(random), 0, 0, 0};
  const uint64_t near = std::min<uint64_t>(left, 256);
  if (insn.code == kJa) insn.k = left != 0 ? static_cast<uint32_t>(random.below(left)) : 0;
  else if (isJump(insn.code) && left != 0) {
    insn.jt = static_cast<uint8_t>(random.below(near));
    insn.jf = static_cast<uint8_t>(random.below(near));
    insn.k = randomValue(random);
  } else if (isLoad(insn.code)) insn.k = randomOffset(random);
  else if (insn.code == kLdMem || insn.code == kLdxMem || insn.code == kSt || insn.code == kStx)
    insn.k = static_cast<uint32_t>(random.below(2));
  else if (insn.code == kRetK) insn.k = static_cast<uint32_t>(random.below(2));
  else if (insn.code == kLshK || insn.code == kRshK) insn.k = static_cast<uint32_t>(random.below(34));
  else insn.k = randomValue(random);
  return insn;
}

void change(Random& random, Code& code) {
  const size_t i = random.below(code.size());
  Insn& insn = code[i];
  const size_t left = code.size() - 1 - i;
  switch (random.below(7)) {
    case 0:
      if (isLoad(insn.code)) insn.k = randomOffset(random);
      else insn.k = randomValue(random);
      break;
    case 1:
      std::swap(insn.jt, insn.jf);
      break;
    case 2:
      if (isJump(insn.code) && left != 0)
        (random.below(2) == 0 ? insn.jt : insn.jf) = static_cast<uint8_t>(random.below(std::min<size_t>(left, 256)));
      break;
    case 3:
      insn = randomInsn(random, left);
      break;
    case 4:
      // Jumps across it move to other targets.
      code.insert(code.begin() + static_cast<std::ptrdiff_t>(i), randomInsn(random, left + 1));
      break;
    case 5:
      if (code.size() > 2 && left != 0) code.erase(code.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    case 6:
      if (insn.code == kRetK) insn.k = insn.k == 0;
      break;
  }
}

// Both programs accept, or either does: A and X are as the first one left them when the second begins.
Code combined(const Code& first, const Code& second, bool both) {
  Code code = first;
  for (size_t i = 0; i < code.size(); ++i)
    if (code[i].code == kRetK && (code[i].k != 0) == both)
      code[i] = {kJa, 0, 0, static_cast<uint32_t>(code.size() - i - 1)};
  code.insert(code.end(), second.begin(), second.end());
  return code;
}

Code newProgram(Random& random) {
  const size_t size = 2 + random.below(16);
  Code code;
  for (size_t i = 0; i < size; ++i) code.push_back(randomInsn(random, size - i));
  code.push_back({kRetK, 0, 0, static_cast<uint32_t>(random.below(4))});
  return code;
}

}  // namespace

RandomProgram randomProgram(Random& random) {
  static const std::vector<std::pair<Code, uint32_t>> kReal = [] {
    std::vector<std::pair<Code, uint32_t>> all;
    for (const NeedsCase& one : needsCases()) all.push_back({parsedProgram(one.program), one.link_type});
    return all;
  }();
  const auto& [code, link_type] = pick(random, kReal);
  RandomProgram to{code, link_type};
  switch (random.below(4)) {
    case 0:
      to.code = newProgram(random);
      break;
    case 1:
      to.code = combined(code, pick(random, kReal).first, random.below(3) != 0);
      break;
    default:
      break;
  }
  for (uint64_t n = random.below(5); n > 0; --n) change(random, to.code);
  // The same program says other things of another link type.
  if (random.below(16) == 0) to.link_type = pick(random, kLinkTypePool);
  return to;
}

}  // namespace spillway::test
