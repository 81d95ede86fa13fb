// What became of one request, in memory that the child which compiles shares with its parent.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol.h"

namespace spillway::compile {

struct Outcome {
  Status status;
  uint8_t flags;
  uint32_t size;  // bytes of payload in use; the parent checks it
  uint8_t payload[kMaxInstructions * 8];

  void set(Status s, std::string_view text) {
    status = s;
    flags = 0;
    size = static_cast<uint32_t>(std::min(text.size(), sizeof payload));
    std::memcpy(payload, text.data(), size);
  }
};

}  // namespace spillway::compile
