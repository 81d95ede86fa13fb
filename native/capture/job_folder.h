// The folder of a job: its lock, its version, and making it.
#pragma once
#include <string>

#include "capture/failure.h"
#include "capture/fd.h"

namespace spillway::capture {

// Makes the folder where it is not there, and tells its absolute path.
Failed makeJobFolder(const std::string& folder, std::string* path);

// Takes the lock (`lock`, with the pid in it), which is held as long as `lock` is open, and checks or writes the
// folder's version (`format`).
Failed lockJobFolder(const std::string& path, Fd* lock);

}  // namespace spillway::capture
