// Requests as they come out of a frame: checked once, here.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "../base/bytes.h"

namespace spillway::compile {

struct Request {
  uint16_t linkType = 0;
  uint32_t snapLengthBytes = 0;  // 1 to INT32_MAX
  bool optimise = true;
  std::string text;
};

// Both give nullptr, or one sentence about what is wrong. `id` is set whenever the frame is long enough to hold it.
const char* parseHello(Bytes frame, std::string_view& version);
const char* parseRequest(Bytes frame, uint32_t& id, Request& request);

}  // namespace spillway::compile
