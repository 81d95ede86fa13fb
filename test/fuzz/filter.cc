// Any bytes as a program and a packet: what is verified ends, does not look outside the packet, and returns what a
// plain interpreter of the instruction set returns.
#include "filter/program.h"

#include "base/limits.h"
#include "control.h"

using namespace spillway;
using namespace spillway::fuzz;
using namespace spillway::cbpf;

namespace {

#define ENSURE(condition)               \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (0)

constexpr uint16_t kCodes[] = {kLdWAbs, kLdHAbs, kLdBAbs, kLdWInd, kLdHInd, kLdBInd, kLdImm, kLdMem, kLdLen, kLdxImm,
                               kLdxMem, kLdxLen, kLdxMsh, kSt,     kStx,    kAddK,   kSubK,  kMulK,  kDivK,  kOrK,
                               kAndK,   kLshK,   kRshK,   kNeg,    kModK,   kXorK,   kAddX,  kSubX,  kMulX,  kDivX,
                               kOrX,    kAndX,   kLshX,   kRshX,   kModX,   kXorX,   kJa,    kJeqK,  kJgtK,  kJgeK,
                               kJsetK,  kJeqX,   kJgtX,   kJgeX,   kJsetX,  kRetK,   kRetA,  kTax,   kTxa};

// One instruction after the other, class by class. `jumps_back`: the budget holds.
uint32_t plainly(const std::vector<Insn>& code, const test::Exact& packet, uint32_t wirelen, bool jumps_back) {
  uint32_t a = 0, x = 0, memory[16] = {};
  size_t pc = 0;
  for (uint32_t steps = 1;; ++steps) {
    if (jumps_back && steps > limits::kMaxBackwardSteps) return 0;
    const Insn insn = code.at(pc++);
    const uint32_t operand = insn.code & 8 ? x : insn.k;
    switch (insn.code & 7) {
      case 0:    // LD
      case 1: {  // LDX
        uint32_t& to = insn.code & 1 ? x : a;
        const uint64_t offset = static_cast<uint64_t>(insn.k) + ((insn.code & 0xe0) == 0x40 ? x : 0);
        const size_t width = (insn.code & 0x18) == 0 ? 4 : (insn.code & 0x18) == 8 ? 2 : 1;
        switch (insn.code & 0xe0) {
          case 0x00:
            to = insn.k;
            break;
          case 0x60:
            to = memory[insn.k];
            break;
          case 0x80:
            to = wirelen;
            break;
          default: {
            if (offset + width > packet.size()) return 0;
            uint32_t value = 0;
            for (size_t i = 0; i < width; ++i) value = value << 8 | packet.data()[offset + i];
            to = (insn.code & 0xe0) == 0xa0 ? (value & 15) * 4 : value;
          }
        }
        break;
      }
      case 2:
        memory[insn.k] = a;
        break;
      case 3:
        memory[insn.k] = x;
        break;
      case 4:
        switch (insn.code & 0xf0) {
          case 0x00:
            a += operand;
            break;
          case 0x10:
            a -= operand;
            break;
          case 0x20:
            a *= operand;
            break;
          case 0x30:
            if (operand == 0) return 0;
            a /= operand;
            break;
          case 0x40:
            a |= operand;
            break;
          case 0x50:
            a &= operand;
            break;
          case 0x60:
            a = operand > 31 ? 0 : a << operand;
            break;
          case 0x70:
            a = operand > 31 ? 0 : a >> operand;
            break;
          case 0x80:
            a = ~a + 1;
            break;
          case 0x90:
            if (operand == 0) return 0;
            a %= operand;
            break;
          default:
            a ^= operand;
        }
        break;
      case 5: {
        bool jump = true;
        switch (insn.code & 0xf0) {
          case 0x00:
            pc = static_cast<uint32_t>(pc + insn.k);
            continue;
          case 0x10:
            jump = a == operand;
            break;
          case 0x20:
            jump = a > operand;
            break;
          case 0x30:
            jump = a >= operand;
            break;
          default:
            jump = (a & operand) != 0;
        }
        pc += jump ? insn.jt : insn.jf;
        break;
      }
      case 6:
        return insn.code & 0x10 ? a : insn.k;
      default:
        (insn.code & 0x80 ? a : x) = insn.code & 0x80 ? x : a;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Control control(data, size);
  // Raw codes and jumps are mostly refused; shaped ones mostly taken.
  const bool shaped = control.below(4) != 1;
  const size_t count = std::min(control.below(64) + 1, control.file.size / 8);
  std::vector<Insn> code(count);
  test::Buffer bytes(control.file.data, control.file.data + count * 8);
  for (size_t i = 0; i < count; ++i) {
    uint8_t* p = &bytes[i * 8];
    if (shaped) {
      store16(p, i + 1 == count ? (p[0] & 1 ? kRetK : kRetA) : kCodes[load16(p) % std::size(kCodes)]);
      const auto room = static_cast<uint8_t>(count - i - 1 > 255 ? 255 : count - i - 1);
      if (room != 0) p[2] %= room, p[3] %= room;
      if (p[7] & 0x80 && load16(p) != kJa) store32(p + 4, load32(p + 4) % 64);
      if (load16(p) == kJa) store32(p + 4, static_cast<uint32_t>(p[4] % count) - static_cast<uint32_t>(i) - 1);
    }
    code[i] = {load16(p), p[2], p[3], load32(p + 4)};
  }
  const test::Exact exact(bytes);
  std::string why;
  const auto program = Program::verify(exact.bytes(), &why);
  ENSURE((program == nullptr) == !why.empty());
  if (!program) return 0;
  ENSURE(program->size() == count);
  bool jumps_back = false;
  for (size_t i = 0; i < count; ++i) jumps_back |= code[i].code == kJa && static_cast<uint32_t>(i + 1) + code[i].k <= i;

  const test::Exact packet(control.file.data + count * 8, control.file.size - count * 8);
  const auto caplen = static_cast<uint32_t>(packet.size());
  const uint32_t wirelen = caplen + static_cast<uint32_t>(control.below(3) * 1000);
  const uint32_t want = plainly(code, packet, wirelen, jumps_back);
  uint32_t got = program->run(packet.data(), caplen, wirelen);
  // A shift that keeps what it should lose.
  if (canary() && got == 0 && want == 0)
    for (const Insn& insn : code) got |= insn.code == kLshK && insn.k == 32;
  ENSURE(got == want);
  ENSURE(program->run(packet.data(), caplen, wirelen) == want);
  return 0;
}
