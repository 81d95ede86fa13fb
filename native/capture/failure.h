// What goes wrong in the capture executable: a stable code, one sentence, and the exit code it ends with.
#pragma once
#include <cstring>
#include <optional>
#include <string>

namespace spillway::capture {

enum class Code {
  usage,                  // the command line is wrong
  interface_not_found,    // no such interface
  interface_unsupported,  // its link type can't be captured, or the program is not for it
  not_permitted,          // no CAP_NET_RAW
  program_invalid,        // the program file can't be read or is no program
  folder_unusable,        // the folder can't be made, read or written
  folder_newer,           // a newer version made the folder
  folder_locked,          // another capture runs in the folder
  no_memory,              // no memory for ring or buffers
  system,                 // a call of the system failed that should not
};

struct Failure {
  Code code;
  std::string sentence;
};

// Nothing went wrong, or what did.
using Failed = std::optional<Failure>;

inline const char* nameOf(Code code) {
  switch (code) {
    case Code::usage:
      return "REQUEST_INVALID";
    case Code::interface_not_found:
      return "INTERFACE_NOT_FOUND";
    case Code::interface_unsupported:
      return "INTERFACE_UNSUPPORTED";
    case Code::not_permitted:
      return "CAPTURE_NOT_PERMITTED";
    case Code::program_invalid:
      return "PROGRAM_INVALID";
    case Code::folder_unusable:
      return "CAPTURE_FOLDER_UNUSABLE";
    case Code::folder_newer:
      return "CAPTURE_FOLDER_NEWER";
    case Code::folder_locked:
      return "CAPTURE_FOLDER_LOCKED";
    case Code::no_memory:
      return "CAPTURE_NO_MEMORY";
    case Code::system:
      return "CAPTURE_FAILED";
  }
  return "CAPTURE_FAILED";
}

inline int exitOf(Code code) { return code == Code::usage ? 1 : 2; }

// "WHAT: reason of the system".
inline std::string withErrno(const std::string& what, int error) { return what + ": " + std::strerror(error); }

}  // namespace spillway::capture
