// The door to the operating system's files.
#pragma once
#include <cstddef>
#include <cstdint>

namespace spillway {

// Reads up to `size` bytes at `offset`, going on after interruptions and short reads.
// Returns the bytes read (fewer only at the end of the file), or -errno. `fd` is borrowed.
int64_t readAt(int fd, uint8_t* to, size_t size, uint64_t offset);

// Takes a shared flock(2) without waiting; it goes with the descriptor. False where the file is locked exclusively, or
// can't be locked.
bool lockShared(int fd);

// A pipe, both of whose ends close when another program is started. False and errno where there is none to be had.
bool openPipe(int ends[2]);

// Sets the capacity of a pipe in bytes; returns the capacity in force, or -1 where `fd` is no pipe or it is refused.
int setPipeSize(int fd, int bytes);

}  // namespace spillway
