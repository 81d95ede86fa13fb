#include "request.h"

#include <cstring>

#include "protocol.h"

namespace spillway::compile {

const char* parseHello(Bytes frame, std::string_view& version) {
  Cursor in(frame);
  const uint8_t* magic = in.take(sizeof kMagic);
  if (!magic || std::memcmp(magic, kMagic, sizeof kMagic) != 0) return "the first frame is no hello";
  const uint32_t protocol = in.u32();
  if (!in.ok() || in.left() > kMaxVersionBytes) return "the hello has a wrong length";
  const size_t length = in.left();
  // A caller of another protocol is a caller of another version: it gets the same answer.
  version =
      protocol == kProtocolVersion ? std::string_view(reinterpret_cast<const char*>(in.take(length)), length) : "";
  return nullptr;
}

const char* parseRequest(Bytes frame, uint32_t& id, Request& request) {
  Cursor in(frame);
  id = in.u32();
  const uint8_t kind = in.u8();
  const uint8_t flags = in.u8();
  const uint8_t* linkType = in.take(2);
  request.snapLengthBytes = in.u32();
  if (!in.ok()) return "the request is shorter than its header";
  if (kind != kKindCompile) return "the request is of an unknown kind";
  if (flags & ~kFlagOptimise) return "the request has unknown flags";
  if (request.snapLengthBytes == 0 || request.snapLengthBytes > INT32_MAX) return "the snap length is out of range";
  request.linkType = load16(linkType);
  request.optimise = flags & kFlagOptimise;
  const size_t length = in.left();
  request.text.assign(reinterpret_cast<const char*>(in.take(length)), length);
  if (request.text.find('\0') != std::string::npos) return "the filter text holds a NUL";
  return nullptr;
}

}  // namespace spillway::compile
