#include "sandbox.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "compile.h"

namespace spillway::compile {
namespace {

void lower(__rlimit_resource resource, rlim_t to) {
  rlimit now;
  if (getrlimit(resource, &now) != 0) return;
  if (now.rlim_max != RLIM_INFINITY && now.rlim_max < to) to = now.rlim_max;
  now.rlim_cur = now.rlim_max = to;
  setrlimit(resource, &now);
}

// The timer's signal ends the process, whatever the caller of this executable left ignored or blocked.
void startTimer(__itimer_which timer, int signal, int ms) {
  std::signal(signal, SIG_DFL);
  const itimerval limit = {{0, 0}, {ms / 1000, ms % 1000 * 1000}};
  setitimer(timer, &limit, nullptr);
}

void limitMyself() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_DUMPABLE, 0);  // no core, neither a file nor a handler's
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  lower(RLIMIT_CORE, 0);
  lower(RLIMIT_AS, kMaxAddressBytes);
  lower(RLIMIT_STACK, kMaxStackBytes);
  lower(RLIMIT_FSIZE, 0);
  lower(RLIMIT_CPU, kMaxCpuMs / 1000 + 1);  // whole seconds, should the timer be lost
  startTimer(ITIMER_PROF, SIGPROF, kMaxCpuMs);
  startTimer(ITIMER_REAL, SIGALRM, kMaxWallMs);
  // The frames belong to the parent.
  close(STDIN_FILENO);
  close(STDOUT_FILENO);
}

std::string describeEnd(int status) {
  char text[160];
  if (WIFSIGNALED(status)) {
    switch (const int signal = WTERMSIG(status)) {
      case SIGPROF:
      case SIGXCPU:
        std::snprintf(text, sizeof text, "libpcap needs more than %d ms of processor time for it", kMaxCpuMs);
        break;
      case SIGALRM:
        std::snprintf(text, sizeof text, "libpcap did not finish it within %d ms", kMaxWallMs);
        break;
      case SIGKILL:
        std::snprintf(text, sizeof text, "the system ended libpcap while it compiled it");
        break;
      default:
        std::snprintf(text, sizeof text, "libpcap crashed on it (%s)", strsignal(signal));
    }
  } else {
    std::snprintf(text, sizeof text, "libpcap gave up on it");  // it calls exit() when its scanner has no memory
  }
  return text;
}

}  // namespace

Sandbox::Sandbox(const Libpcap& library) : library_(library) {
  void* memory = mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared_ = memory == MAP_FAILED ? nullptr : static_cast<Outcome*>(memory);
}

const Outcome& Sandbox::run(const Request& request) {
  if (!shared_) {
    own_.set(Status::kFailed, "no shared memory for the filter compiler");
    return own_;
  }
  constexpr int kDone = 77;  // an exit status that libpcap's own exit() does not use
  const pid_t child = fork();
  if (child < 0) {
    own_.set(Status::kFailed, std::string("no process for the filter compiler: ") + strerror(errno));
    return own_;
  }
  if (child == 0) {
    limitMyself();
    compileFilter(library_, request, *shared_);
    _exit(kDone);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != kDone || shared_->size > sizeof shared_->payload) {
    own_.set(Status::kTooComplex, describeEnd(status));
    return own_;
  }
  return *shared_;
}

}  // namespace spillway::compile
