// spillway-compile: compiles BPF filter texts with libpcap, away from everything that matters.
// Speaks the frames of protocol.h on standard input and output until the input ends.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "frames.h"
#include "libpcap.h"
#include "request.h"
#include "sandbox.h"

#ifndef SPILLWAY_VERSION
#error "SPILLWAY_VERSION is the version in package.json"
#endif

namespace spillway::compile {
namespace {

constexpr int kOk = 0;
constexpr int kRefusedCaller = 2;

int refuse(Status status, std::string_view text) {
  writeAnswer(STDOUT_FILENO, {0, status, 0, bytesOf(text)});
  return kRefusedCaller;
}

// libpcap must find the look-ups of lookups.cc, not those of the C library, which ask DNS.
bool lookupsAreOurs() { return dlsym(RTLD_DEFAULT, "getaddrinfo") == reinterpret_cast<void*>(&getaddrinfo); }

int serve() {
  FrameReader in(STDIN_FILENO);
  Bytes frame;
  if (in.next(frame) != Read::kFrame) return refuse(Status::kBadRequest, "there is no whole first frame");
  std::string_view version;
  if (const char* wrong = parseHello(frame, version)) return refuse(Status::kBadRequest, wrong);
  if (version != SPILLWAY_VERSION) return refuse(Status::kVersionMismatch, SPILLWAY_VERSION);
  if (!lookupsAreOurs()) return refuse(Status::kFailed, "spillway-compile was linked without -rdynamic");
  Libpcap library;
  if (const char* wrong = loadLibpcap(library)) return refuse(Status::kNoLibpcap, wrong);
  if (!writeAnswer(STDOUT_FILENO, {0, Status::kReady, 0, bytesOf(library.version())})) return kRefusedCaller;

  const auto sandbox = std::make_unique<Sandbox>(library);
  Request request;
  for (;;) {
    switch (in.next(frame)) {
      case Read::kEnd:
        return kOk;
      case Read::kCut:
        return refuse(Status::kBadRequest, "the input ends inside a frame");
      case Read::kTooLarge:
        return refuse(Status::kBadRequest, "the frame is larger than any request");
      case Read::kFrame:
        break;
    }
    Answer answer;
    if (const char* wrong = parseRequest(frame, answer.id, request)) {
      answer.status = Status::kBadRequest;
      answer.payload = bytesOf(wrong);
    } else {
      const Outcome& outcome = sandbox->run(request);
      answer.status = outcome.status;
      answer.flags = outcome.flags;
      answer.payload = {outcome.payload, outcome.size};
    }
    if (!writeAnswer(STDOUT_FILENO, answer)) return kRefusedCaller;
  }
}

}  // namespace
}  // namespace spillway::compile

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool asked = argc == 2 && std::strcmp(argv[1], "--version") == 0;
    std::fputs(asked ? SPILLWAY_VERSION "\n" : "usage: spillway-compile [--version] (started by spillway itself)\n",
               asked ? stdout : stderr);
    return asked ? 0 : 1;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
  return spillway::compile::serve();
}
