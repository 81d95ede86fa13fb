// Whole pages of memory: giving them to a pipe instead of copying them, and getting large ones.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway {

// Private anonymous memory, such as an output slot. Borrowed.
struct Memory {
  uint8_t* data = nullptr;
  size_t size = 0;
};

constexpr size_t kLargePageBytes = 2u << 20;

// Asks for large pages where the system has them: a hint, nothing depends on it. Returns the offset of the first large
// page that begins within `memory`, or 0 where none does.
size_t adviseLargePages(Memory memory);

// Lets go of all whole pages of `memory`: what they held is zero or undefined then, and they are got anew at the next
// touch.
void dropPages(Memory memory);

// Writes `size` bytes at `from` within `memory` to the pipe `fd`, blocking where it does: whole pages are moved into
// the pipe (vmsplice), what is left at both ends is copied. A page in a pipe must not change, so on return all whole
// pages of `memory` are let go of, whatever they held: what `memory` holds then is undefined, and the reader still
// gets what was written. Returns 0, or -errno: -EINVAL where `fd` is no pipe, with `memory` as it was; else it failed
// after some of the bytes were written.
int givePages(int fd, Memory memory, const uint8_t* from, size_t size);

}  // namespace spillway
