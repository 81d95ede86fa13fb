// PCAPNG options: walking them in the file's byte order and writing them little-endian.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "format/pcapng_format.h"

namespace spillway::pcapng {

enum class OptionScope : uint8_t { section, interface, packet };

struct Option {
  uint16_t code;
  const uint8_t* value;
  uint16_t length;
};

// Walks the options in `bytes`; ends at opt_endofopt, at the end, or at the first option that does not fit.
class OptionWalk {
 public:
  OptionWalk(Bytes bytes, Order order) : bytes_(bytes), order_(order) {}
  bool next(Option* option) {
    if (bytes_.size < 4) return false;
    option->code = order_.u16(bytes_.data);
    option->length = order_.u16(bytes_.data + 2);
    if (option->code == kEndOfOptions) return false;
    const size_t padded = pad4(option->length);
    if (bytes_.size - 4 < option->length) return false;
    option->value = bytes_.data + 4;
    const size_t step = 4 + (padded < bytes_.size - 4 ? padded : bytes_.size - 4);
    bytes_ = {bytes_.data + step, bytes_.size - step};
    return true;
  }

 private:
  Bytes bytes_;
  Order order_;
};

// The most bytes copyOptions may write for options of this size: each is at most rounded up, and an end is added.
inline size_t copiedOptionsBound(size_t size) { return size == 0 ? 0 : size + 8; }

// Writes the options of `from` little-endian to `to` (which holds copiedOptionsBound), without an end mark.
// Of an interface, if_tsresol and if_tsoffset are left out: the writer gives its own. Returns the bytes written.
size_t copyOptions(Bytes from, Order order, OptionScope scope, uint8_t* to);

// Writes one option; `value` is little-endian already. Returns the bytes written: 4 + the padded length.
size_t putOption(uint8_t* to, uint16_t code, const uint8_t* value, uint16_t length);
// Writes the mark behind the last option. Returns the bytes written.
inline size_t endOptions(uint8_t* to) {
  store32(to, kEndOfOptions);
  return 4;
}

}  // namespace spillway::pcapng
