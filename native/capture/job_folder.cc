#include "capture/job_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <vector>

#include "capture/files.h"

namespace spillway::capture {
namespace {

// `format` holds this word, a version and a line end. Files of a higher version may mean something else.
constexpr std::string_view kFormatWord = "spillway-capture ";
constexpr long kFormatVersion = 1;
constexpr size_t kMaxFormatBytes = 64;

Failure unusable(const std::string& what, int error) { return {Code::folder_unusable, withErrno(what, error)}; }

Bytes bytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

Failed checkFormat(const std::string& folder) {
  const std::string path = folder + "/format";
  std::vector<uint8_t> bytes;
  int result = readWhole(path, kMaxFormatBytes, &bytes);
  if (result == -ENOENT) {
    result = writeWhole(path, bytesOf(std::string(kFormatWord) + std::to_string(kFormatVersion) + "\n"));
    if (result != 0) return unusable("the folder " + folder + " can't be written", -result);
    return std::nullopt;
  }
  if (result != 0) return unusable("the file " + path + " can't be read", -result);
  const std::string text(bytes.begin(), bytes.end());
  const long version = text.starts_with(kFormatWord) ? std::strtol(text.c_str() + kFormatWord.size(), nullptr, 10) : 0;
  if (version < 1) return Failure{Code::folder_unusable, "the file " + path + " is not one of a capture's folder"};
  if (version > kFormatVersion)
    return Failure{Code::folder_newer, "the folder " + folder + " was made by a newer version (format " +
                                           std::to_string(version) + ", this one knows " +
                                           std::to_string(kFormatVersion) + ")"};
  return std::nullopt;
}

}  // namespace

Failed makeJobFolder(const std::string& folder, std::string* path) {
  if (const int result = makeFolder(folder, 0750); result != 0)
    return unusable("the folder " + folder + " can't be made", -result);
  char* absolute = ::realpath(folder.c_str(), nullptr);
  if (absolute == nullptr) return unusable("the folder " + folder + " can't be read", errno);
  *path = absolute;
  std::free(absolute);
  return std::nullopt;
}

Failed lockJobFolder(const std::string& path, Fd* lock) {
  int error;
  *lock = openFile(path + "/lock", O_RDWR | O_CREAT, &error);
  if (!*lock) return unusable("the folder " + path + " can't be written", error);
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return unusable("the folder " + path + " can't be locked", errno);
    std::vector<uint8_t> pid;
    std::string who;
    if (readWhole(path + "/lock", 32, &pid) == 0 && !pid.empty())
      who = " (process " + std::string(pid.begin(), pid.end() - 1) + ")";
    return Failure{Code::folder_locked, "another capture" + who + " runs in " + path};
  }
  if (auto failure = checkFormat(path)) return failure;
  const std::string pid = std::to_string(::getpid()) + "\n";
  int result = ::ftruncate(lock->get(), 0) == 0 ? 0 : -errno;
  if (result == 0) result = writeAllAt(lock->get(), bytesOf(pid), 0);
  if (result != 0) return unusable("the folder " + path + " can't be written", -result);
  return std::nullopt;
}

}  // namespace spillway::capture
