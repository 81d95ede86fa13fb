// The kernel's program, run by the kernel: a datagram socket of our own takes the same filters as a packet socket.
#include "capture/kernel_filter.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include "capture/fd.h"
#include "check.h"
#include "filter/program.h"
#include "random.h"

namespace spillway::test {

using namespace capture;
using cbpf::Insn;

namespace {

Buffer programOf(const std::vector<Insn>& insns) {
  Buffer bytes(insns.size() * 8);
  std::memcpy(bytes.data(), insns.data(), bytes.size());
  return bytes;
}

// What the kernel lets through of one frame; none where it refuses the filter.
class Kernel {
 public:
  Kernel() {
    int ends[2];
    ok_ = ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0;
    to_.reset(ends[0]);
    from_.reset(ends[1]);
  }
  bool attach(const std::vector<Insn>& filter) {
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             reinterpret_cast<sock_filter*>(const_cast<Insn*>(filter.data()))};
    return ok_ && ::setsockopt(from_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
  }
  // Bytes that came through; -1: none.
  ssize_t pass(const Buffer& frame) {
    uint8_t got[4096];
    if (::send(to_.get(), frame.data(), frame.size(), 0) < 0 && errno != EPERM) return -2;
    return ::recv(from_.get(), got, sizeof got, 0);
  }

 private:
  Fd to_, from_;
  bool ok_;
};

// A program of tests on the first bytes, ending in all ways to return; with `returns_a` one of them is A.
std::vector<Insn> randomProgram(Random* random, bool returns_a) {
  const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random->below(n)); };
  std::vector<Insn> insns;
  const uint32_t tests = 1 + below(6);
  for (uint32_t i = 0; i < tests; ++i) {
    const uint16_t loads[] = {cbpf::kLdBAbs, cbpf::kLdHAbs, cbpf::kLdWAbs, cbpf::kLdLen};
    insns.push_back({loads[below(4)], 0, 0, below(24)});
    if (below(3) == 0) insns.push_back({cbpf::kAndK, 0, 0, below(256)});
    const uint16_t jumps[] = {cbpf::kJeqK, cbpf::kJgtK, cbpf::kJsetK};
    insns.push_back({jumps[below(3)], static_cast<uint8_t>(below(2)), static_cast<uint8_t>(below(2)), below(8)});
  }
  insns.push_back({cbpf::kRetK, 0, 0, below(2) * 5});
  if (returns_a) insns.push_back({cbpf::kRetA, 0, 0, 0});
  else insns.push_back({cbpf::kRetK, 0, 0, 1});
  insns.push_back({cbpf::kRetK, 0, 0, 0});
  insns.push_back({cbpf::kRetK, 0, 0, 0x40000});
  return insns;
}

}  // namespace

TEST("a frame without a tag: the kernel takes what the program takes, whole") {
  Random random(11);
  Kernel kernel;
  int taken = 0, refused = 0;
  for (int i = 0; i < 400; ++i) {
    // What returns A may return 0; the kernel takes such a frame.
    const bool returns_a = i % 2 == 1;
    const auto insns = randomProgram(&random, returns_a);
    const Buffer bytes = programOf(insns);
    std::string why;
    const auto program = Program::verify(bytesOf(bytes), &why);
    CHECK(program != nullptr);
    CHECK(kernel.attach(kernelFilter(bytesOf(bytes), false)));
    for (int n = 0; n < 25; ++n) {
      Buffer frame(1 + random.below(30));
      for (uint8_t& byte : frame) byte = static_cast<uint8_t>(random.below(8));
      const auto size = static_cast<uint32_t>(frame.size());
      const bool wanted = program->run(frame.data(), size, size) != 0;
      const ssize_t passed = kernel.pass(frame);
      CHECK(passed == static_cast<ssize_t>(size) || (passed == -1 && !wanted));
      if (!returns_a) CHECK_EQ(passed, wanted ? static_cast<ssize_t>(size) : -1);
      ++(wanted ? taken : refused);
    }
  }
  CHECK(taken > 1000 && refused > 1000);
}

TEST("without a program everything is taken; the closing filter takes nothing") {
  Kernel kernel;
  CHECK(kernel.attach(kernelFilter({}, false)));
  CHECK_EQ(kernel.pass(Buffer(100, 1)), 100);
  CHECK(kernel.attach(kernelFilter({}, true)));
  CHECK_EQ(kernel.pass(Buffer(100, 1)), 100);
  CHECK(kernel.attach(closingFilter()));
  CHECK_EQ(kernel.pass(Buffer(100, 1)), -1);
}

TEST("loads that mean something else to the kernel only make it take more") {
  // ether[-4096]: in the kernel the protocol, here a load beyond every packet, which rejects.
  const std::vector<Insn> insns = {{cbpf::kLdHAbs, 0, 0, static_cast<uint32_t>(SKF_AD_OFF)}, {cbpf::kRetK, 0, 0, 1}};
  const Buffer bytes = programOf(insns);
  std::string why;
  const Buffer frame(60, 1);
  CHECK_EQ(Program::verify(bytesOf(bytes), &why)->run(frame.data(), 60, 60), 0u);
  Kernel kernel;
  CHECK(kernel.attach(kernelFilter(bytesOf(bytes), false)));
  CHECK_EQ(kernel.pass(frame), 60);
}

}  // namespace spillway::test
