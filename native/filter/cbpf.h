// Classic BPF: the instruction set, as in McCanne & Jacobson 1993 and libpcap's pcap/bpf.h, with MOD and XOR.
#pragma once
#include <cstdint>

namespace spillway::cbpf {

struct Insn {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
};
static_assert(sizeof(Insn) == 8);

constexpr uint32_t kMemWords = 16;

// Every instruction that exists, by its whole code. LD/LDX | size | mode, ALU/JMP | operation | source.
enum Code : uint16_t {
  kLdWAbs = 0x20,
  kLdHAbs = 0x28,
  kLdBAbs = 0x30,
  kLdWInd = 0x40,
  kLdHInd = 0x48,
  kLdBInd = 0x50,
  kLdImm = 0x00,
  kLdMem = 0x60,
  kLdLen = 0x80,
  kLdxImm = 0x01,
  kLdxMem = 0x61,
  kLdxLen = 0x81,
  kLdxMsh = 0xb1,
  kSt = 0x02,
  kStx = 0x03,
  kAddK = 0x04,
  kSubK = 0x14,
  kMulK = 0x24,
  kDivK = 0x34,
  kOrK = 0x44,
  kAndK = 0x54,
  kLshK = 0x64,
  kRshK = 0x74,
  kNeg = 0x84,
  kModK = 0x94,
  kXorK = 0xa4,
  kAddX = 0x0c,
  kSubX = 0x1c,
  kMulX = 0x2c,
  kDivX = 0x3c,
  kOrX = 0x4c,
  kAndX = 0x5c,
  kLshX = 0x6c,
  kRshX = 0x7c,
  kModX = 0x9c,
  kXorX = 0xac,
  kJa = 0x05,
  kJeqK = 0x15,
  kJgtK = 0x25,
  kJgeK = 0x35,
  kJsetK = 0x45,
  kJeqX = 0x1d,
  kJgtX = 0x2d,
  kJgeX = 0x3d,
  kJsetX = 0x4d,
  kRetK = 0x06,
  kRetA = 0x16,
  kTax = 0x07,
  kTxa = 0x87,
};

}  // namespace spillway::cbpf
