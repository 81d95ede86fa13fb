// A verified classic BPF program and its interpreter.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "filter/cbpf.h"

namespace spillway {

class Program {
 public:
  // Checks `code` (8 bytes an instruction, little-endian) and makes a program that can be run on any packet: every
  // instruction is known, every jump lands inside, scratch indexes are in range, no constant divides by zero, and the
  // last instruction returns. A jump backwards is allowed for the unconditional jump alone, as libpcap's protochain
  // compiles it, and costs a budget. Returns null and fills `why` when it is refused.
  static std::unique_ptr<Program> verify(Bytes code, std::string* why);

  // The program's return value for `caplen` bytes at `data` of a packet `wirelen` bytes long. A load beyond the bytes,
  // a division by zero and an exhausted budget return 0.
  uint32_t run(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const;

  size_t size() const { return ops_.size(); }

 private:
  struct Op {
    uint16_t code;  // cbpf::Code made dense, for the jump table
    uint16_t unused;
    uint32_t k;
    uint32_t jt;  // absolute indexes
    uint32_t jf;
  };
  template <bool kBudget>
  uint32_t interpret(const uint8_t* data, uint32_t caplen, uint32_t wirelen) const;

  std::vector<Op> ops_;
  bool jumps_back_ = false;
};

}  // namespace spillway
