// spillway-capture: captures packets into a buffer of PCAPNG segments, apart from everything that could hold it up.
// It goes on when whoever started it ends; `control.sock` in the folder is the way to it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "capture/job.h"
#include "capture/job_folder.h"
#include "capture/json.h"
#include "capture/recovery.h"

#ifndef SPILLWAY_VERSION
#error "SPILLWAY_VERSION is the version in package.json"
#endif

namespace spillway::capture {
namespace {

int report(const Failure& failure) {
  std::fprintf(stderr, "spillway-capture: %s [%s]\n", failure.sentence.c_str(), nameOf(failure.code));
  return exitOf(failure.code);
}

int recoverOnly(const Options& options) {
  std::string path;
  Fd lock;
  if (auto failure = makeJobFolder(options.folder, &path)) return report(*failure);
  if (auto failure = lockJobFolder(path, &lock)) return report(*failure);
  bool all = true;
  const auto tell = [&](const Repair& repair) {
    all = all && repair.what != Repair::What::failed;
    std::printf("%s\n", toJson(repair).c_str());
  };
  if (auto failure = recover(path, nullptr, tell)) return report(*failure);
  return all ? 0 : 2;
}

// The terminal is given up for the folder's log.
void leaveTerminal() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
  struct stat found;
  const bool large = ::stat("capture.log", &found) == 0 && static_cast<uint64_t>(found.st_size) > limits::kMaxLogBytes;
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (large ? O_TRUNC : 0);
  const Fd log(::open("capture.log", flags, 0640));
  ::dup2(log ? log.get() : null.get(), STDERR_FILENO);
}

int runJob(const Options& options, const Fd& ready) {
  Job job(options, SPILLWAY_VERSION);
  if (auto failure = job.start()) return report(*failure);
  const Json told = Json().add("ready", true).add("pid", ::getpid()).add("folder", job.folder());
  std::printf("%s\n", told.object().c_str());
  std::fflush(stdout);
  if (ready) {
    leaveTerminal();
    // Whoever waits may be gone.
    [[maybe_unused]] const ssize_t n = ::write(ready.get(), "", 1);
  }
  job.run();
  return 0;
}

// Runs the job in a session of its own; returns in the first process when it captures, or with what it ended with.
int runApart(const Options& options) {
  // Descriptors of whoever started it would keep pipes open that others wait on.
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return report({Code::system, withErrno("no pipe", errno)});
  Fd reading(ends[0]), writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return report({Code::system, withErrno("no process", errno)});
  if (child == 0) {
    reading.reset();
    ::setsid();
    const int code = runJob(options, writing);
    std::fflush(stdout);
    ::_exit(code);
  }
  writing.reset();
  char byte;
  ssize_t got;
  while ((got = ::read(reading.get(), &byte, 1)) < 0 && errno == EINTR) {
  }
  if (got == 1) return 0;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int run(const std::vector<std::string>& arguments) {
  Options options;
  if (auto failure = parseOptions(arguments, &options)) return report(*failure);
  if (options.help) return std::fputs(usageText(), stdout) < 0 ? 2 : 0;
  if (options.version) return std::puts(SPILLWAY_VERSION) < 0 ? 2 : 0;
  if (options.recover) return recoverOnly(options);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return options.foreground ? runJob(options, Fd()) : runApart(options);
}

}  // namespace
}  // namespace spillway::capture

int main(int count, char** arguments) { return spillway::capture::run({arguments + 1, arguments + count}); }
