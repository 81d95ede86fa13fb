// What the capture executable asks of the file system, with interruptions handled. Results are 0 or -errno.
#pragma once
#include <sys/stat.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "capture/fd.h"

namespace spillway::capture {

// Opens a regular file (never through a link), close-on-exec. `error` gets 0 or the errno.
Fd openFile(const std::string& path, int flags, int* error);

// Writes all of `pieces` at `offset`; `written` gets the bytes that are in the file also where it fails.
int writeAllAt(int fd, const std::vector<iovec>& pieces, uint64_t offset, uint64_t* written);
int writeAllAt(int fd, Bytes bytes, uint64_t offset);

// The whole of a file of at most `max` bytes; -EFBIG above.
int readWhole(const std::string& path, size_t max, std::vector<uint8_t>* to);

// Writes `bytes` to `path` whole or not at all: a temporary file beside it, synced, renamed.
int writeWhole(const std::string& path, Bytes bytes);

// Reserves disk space for the first `bytes` of the file and makes it that long. 0 where the file system has no way to
// reserve: the file is then only made long.
int preallocate(int fd, uint64_t bytes);

// Starts writing a range to the disk, without waiting for it. A hint: nothing depends on it.
void pushOut(int fd, uint64_t offset, uint64_t bytes);

int syncFolder(const std::string& path);
int removeFile(const std::string& path);
int renameFile(const std::string& from, const std::string& to);
// Makes a folder with this mode; fine where it exists already.
int makeFolder(const std::string& path, mode_t mode);

}  // namespace spillway::capture
