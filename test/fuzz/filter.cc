// The verifier and the interpreter: any bytes as a program, any bytes as a packet. What the verifier lets through must
// end, never read outside the packet (its buffer has just its size), and say the same twice.
#include <cstdlib>
#include <memory>

#include "../native/drive.h"
#include "filter/program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway;
  if (size < 4) return 0;
  const uint32_t wirelen = load16(data);
  const size_t insns = load16(data + 2) % 256;
  data += 4;
  size -= 4;
  const size_t code_bytes = std::min(insns * 8, size - size % 8);
  std::string why;
  const std::unique_ptr<Program> program = Program::verify({data, code_bytes}, &why);
  ENSURE((program == nullptr) == !why.empty());
  if (!program) return 0;
  const size_t caplen = size - code_bytes;
  const std::unique_ptr<uint8_t[]> packet(new uint8_t[caplen]);
  if (caplen != 0) std::memcpy(packet.get(), data + code_bytes, caplen);
  const uint32_t first = program->run(packet.get(), static_cast<uint32_t>(caplen), wirelen);
  ENSURE(program->run(packet.get(), static_cast<uint32_t>(caplen), wirelen) == first);
  return 0;
}
