// Runs a command with its standard output on a large pipe, reads all of it into a buffer and throws it away, and
// reports what that took as one line of JSON.
//
//   drain [--pipe-bytes N] [--forward] [--sample-ms N] --report-fd FD -- COMMAND [ARGUMENT...]
//
// The clock runs from before the fork until the command has ended and the pipe is empty. CPU time is that of the
// command and of every descendant it waited for (wait4), never of this program. --forward writes the bytes on to this
// program's standard output instead of dropping them. --sample-ms looks at the memory of the command's process tree
// that often and reports the largest sum of anonymous and shared-memory pages.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 1 << 20;

struct Options {
  int pipe_bytes = 1 << 20;
  int report_fd = -1;
  int sample_ms = 0;
  bool forward = false;
  char** command = nullptr;
};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "drain: %s: %s\n", what, std::strerror(errno));
  std::exit(2);
}

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    const std::string word = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::atoi(argv[++i]) : -1; };
    if (word == "--pipe-bytes") {
      options.pipe_bytes = number();
    } else if (word == "--report-fd") {
      options.report_fd = number();
    } else if (word == "--sample-ms") {
      options.sample_ms = number();
    } else if (word == "--forward") {
      options.forward = true;
    } else if (word == "--" && i + 1 < argc) {
      options.command = argv + i + 1;
      break;
    }
  }
  if (options.command == nullptr || options.report_fd < 0 || options.pipe_bytes <= 0 || options.sample_ms < 0) {
    std::fprintf(stderr, "usage: drain [--pipe-bytes N] [--forward] [--sample-ms N] --report-fd FD -- COMMAND...\n");
    std::exit(2);
  }
  return options;
}

std::string ReadAll(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[8192];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(fd);
  return text;
}

// The value of a line such as "RssAnon:     1234 kB", in bytes; 0 where the process is gone.
int64_t StatusBytes(const std::string& status, const char* name) {
  const size_t at = status.find(name);
  return at == std::string::npos ? 0 : std::atoll(status.c_str() + at + std::strlen(name)) * 1024;
}

// RssAnon + RssShmem of a process and its descendants. A page shared by two processes of the tree counts twice.
int64_t TreeBytes(const std::string& pid) {
  const std::string status = ReadAll("/proc/" + pid + "/status");
  int64_t sum = StatusBytes(status, "RssAnon:") + StatusBytes(status, "RssShmem:");
  DIR* tasks = opendir(("/proc/" + pid + "/task").c_str());
  if (tasks == nullptr) return sum;
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    const std::string children = ReadAll("/proc/" + pid + "/task/" + task->d_name + "/children");
    for (size_t at = 0; at < children.size();) {
      const size_t space = children.find(' ', at);
      if (space == std::string::npos) break;
      sum += TreeBytes(children.substr(at, space - at));
      at = space + 1;
    }
  }
  closedir(tasks);
  return sum;
}

pid_t Start(const Options& options, int write_end) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) Fail("fork");
  if (pid > 0) return pid;
  // The command does not outlive this program.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(write_end, STDOUT_FILENO);
  close(options.report_fd);
  execvp(options.command[0], options.command);
  std::fprintf(stderr, "drain: %s: %s\n", options.command[0], std::strerror(errno));
  _exit(127);
}

void WriteAll(int fd, const char* bytes, size_t length) {
  while (length > 0) {
    const ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail("write");
    bytes += n;
    length -= static_cast<size_t>(n);
  }
}

int64_t Drain(int fd, bool forward) {
  std::vector<char> buffer(kReadBytes);
  int64_t total = 0;
  for (;;) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail("read");
    if (n == 0) return total;
    total += n;
    if (forward) WriteAll(STDOUT_FILENO, buffer.data(), static_cast<size_t>(n));
  }
}

int64_t Micros(const timeval& time) { return static_cast<int64_t>(time.tv_sec) * 1000000 + time.tv_usec; }

}  // namespace

int main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Fail("pipe");
  // The size belongs to the pipe, so this one call serves the writer's side as well as the reader's.
  const int pipe_bytes = fcntl(ends[1], F_SETPIPE_SZ, options.pipe_bytes);
  if (pipe_bytes < 0) Fail("F_SETPIPE_SZ");

  const Clock::time_point start = Clock::now();
  const pid_t pid = Start(options, ends[1]);
  close(ends[1]);

  std::atomic<bool> running = true;
  std::atomic<int64_t> peak = 0;
  std::thread sampler;
  if (options.sample_ms > 0) {
    sampler = std::thread([&] {
      while (running) {
        const int64_t now = TreeBytes(std::to_string(pid));
        if (now > peak) peak = now;
        std::this_thread::sleep_for(std::chrono::milliseconds(options.sample_ms));
      }
    });
  }

  const int64_t bytes = Drain(ends[0], options.forward);
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) Fail("wait4");
  }
  const int64_t wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
  running = false;
  if (sampler.joinable()) sampler.join();

  dprintf(options.report_fd,
          "{\"wall_ns\":%lld,\"user_us\":%lld,\"system_us\":%lld,\"bytes\":%lld,\"exit\":%d,\"signal\":%d,"
          "\"pipe_bytes\":%d,\"peak_anon_bytes\":%lld}\n",
          static_cast<long long>(wall_ns), static_cast<long long>(Micros(usage.ru_utime)),
          static_cast<long long>(Micros(usage.ru_stime)), static_cast<long long>(bytes),
          WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, pipe_bytes,
          static_cast<long long>(peak));
  return 0;
}
