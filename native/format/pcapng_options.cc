#include "format/pcapng_options.h"

#include <cstring>

namespace spillway::pcapng {
namespace {

// How many bytes at the start of an option's value are one number, to be turned round with the byte order.
int numberWidth(uint16_t code, OptionScope scope) {
  switch (code) {
    case kCustomText:
    case kCustomBytes:
    case kCustomTextNoCopy:
    case kCustomBytesNoCopy:
      return 4;  // the private enterprise number
    default:
      break;
  }
  if (scope == OptionScope::interface) {
    switch (code) {
      case kIfSpeed:
      case kIfTxSpeed:
      case kIfRxSpeed:
        return 8;
      case kIfTimeZone:
        return 4;
      default:
        return 0;
    }
  }
  if (scope == OptionScope::packet) {
    switch (code) {
      case kPacketFlags:
      case kPacketQueue:
        return 4;
      case kPacketDropCount:
      case kPacketId:
        return 8;
      default:
        return 0;
    }
  }
  return 0;
}

bool replacedByWriter(uint16_t code, OptionScope scope) {
  return scope == OptionScope::interface && (code == kIfResolution || code == kIfOffset);
}

}  // namespace

size_t putOption(uint8_t* to, uint16_t code, const uint8_t* value, uint16_t length) {
  store16(to, code);
  store16(to + 2, length);
  if (length != 0) std::memcpy(to + 4, value, length);
  const uint32_t padded = pad4(length);
  std::memset(to + 4 + length, 0, padded - length);
  return 4 + padded;
}

size_t copyOptions(Bytes from, Order order, OptionScope scope, uint8_t* to) {
  size_t written = 0;
  OptionWalk walk(from, order);
  for (Option option{}; walk.next(&option);) {
    if (replacedByWriter(option.code, scope)) continue;
    uint8_t* value = to + written + 4;
    written += putOption(to + written, option.code, option.value, option.length);
    if (!order.swapped) continue;
    const int width = numberWidth(option.code, scope);
    if (width == 4 && option.length >= 4) store32(value, swap32(load32(value)));
    if (width == 8 && option.length >= 8) store64(value, swap64(load64(value)));
  }
  return written;
}

}  // namespace spillway::pcapng
