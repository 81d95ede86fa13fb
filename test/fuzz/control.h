// How an input says what is to be done with it: its last bytes are choices, what stands before them is the file. So a
// capture file is a good seed as it is.
#pragma once
#include <algorithm>
#include <cstdlib>

#include "../native/buffer.h"
#include "../native/random.h"

namespace spillway::fuzz {

// A bug that is planted on purpose, so that it can be seen that the fuzzer finds one:
// `SPILLWAY_FUZZ_CANARY=1 npm run fuzz -- TARGET 60` must fail.
inline bool canary() {
  static const bool planted = std::getenv("SPILLWAY_FUZZ_CANARY") != nullptr;
  return planted;
}

class Control {
 public:
  Control(const uint8_t* data, size_t size)
      : file{data, size - std::min(size, kBytes)}, choices_(data + file.size, size - file.size) {}

  Bytes file;

  // 0 .. bound - 1; 0 once the choices are used up.
  size_t below(size_t bound) { return at_ < choices_.size() ? choices_.data()[at_++] % bound : 0; }
  bool yes() { return below(2) != 0; }
  // For choices that are too many for the bytes there are.
  test::Random random() { return test::Random(below(256)); }

 private:
  static constexpr size_t kBytes = 12;
  test::Exact choices_;
  size_t at_ = 0;
};

}  // namespace spillway::fuzz
