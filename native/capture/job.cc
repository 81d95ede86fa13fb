#include "capture/job.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/limits.h"
#include "capture/clock.h"
#include "capture/files.h"
#include "capture/job_folder.h"
#include "capture/json.h"
#include "capture/open_source.h"
#include "capture/privileges.h"
#include "capture/recovery.h"

namespace spillway::capture {
namespace {

using std::chrono::milliseconds;

constexpr int kTickMs = 250;
constexpr milliseconds kSealWait{5000};
constexpr size_t kMaxProgramBytes = size_t{spillway::limits::kMaxProgramInsns} * sizeof(cbpf::Insn);

int64_t steadyMs() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string refusal(const std::string& text) {
  return Json().add("ok", false).add("error_id", nameOf(Code::usage)).add("error_text", text).object();
}

// One line in the log, or on the terminal.
void log(const std::string& line) {
  const time_t now = ::time(nullptr);
  tm utc;
  char stamp[32];
  ::gmtime_r(&now, &utc);
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  std::fprintf(stderr, "%s %s\n", stamp, line.c_str());
}

}  // namespace

Failed Job::readProgram() {
  if (options_.program_path.empty()) return std::nullopt;
  const auto failed = [&](const std::string& why) {
    return Failure{Code::program_invalid, "the program " + options_.program_path + " " + why};
  };
  const int result = readWhole(options_.program_path, kMaxProgramBytes, &program_bytes_);
  if (result != 0) return failed(withErrno("can't be read", -result));
  std::string why;
  program_ = Program::verify({program_bytes_.data(), program_bytes_.size()}, &why);
  if (!program_) return failed("is refused: " + why);
  return std::nullopt;
}

Failed Job::openInterfaces() {
  for (const std::string& name : options_.interfaces) {
    SourceOptions source_options;
    source_options.interface = name;
    source_options.ring_bytes = options_.ring_bytes;
    source_options.hardware_timestamps = options_.hardware_timestamps;
    source_options.libpcap = options_.libpcap;
    source_options.promiscuous = options_.promiscuous;
    source_options.program = {program_bytes_.data(), program_bytes_.size()};
    std::unique_ptr<PacketSource> source;
    if (auto failure = openSource(source_options, &source)) return failure;
    interfaces_.push_back(std::make_unique<InterfaceCapture>(interfaces_.size(), std::move(source), program_.get()));
  }
  return std::nullopt;
}

Failed Job::openFolder() {
  if (auto failure = lockJobFolder(path_, &lock_)) return failure;
  const auto tell = [&](const Repair& repair) {
    const std::string line = toJson(repair);
    std::printf("%s\n", line.c_str());
    // In the background nobody reads that; the log is there later.
    if (!options_.foreground) repairs_.push_back(line);
  };
  if (auto failure = recover(path_, &retention_, tell)) return failure;
  StoreOptions store;
  store.segment_bytes = options_.segmentBytes();
  store.segment_seconds = options_.segmentSeconds();
  store.fsync = options_.fsync;
  store.application = "spillway-capture " + version_;
  const uint64_t queue_bytes = std::max(options_.queue_bytes / interfaces_.size(), limits::kMinQueueBytes);
  for (const auto& interface : interfaces_)
    if (auto failure = interface->prepare(path_, store, queue_bytes, options_.snap_bytes, &retention_)) return failure;
  return control_.open("control.sock", [this](std::string_view command) { return answer(command); });
}

Failed Job::start() {
  raisePriority();
  if (options_.user)
    if (auto failure = becomeUser(*options_.user)) return failure;
  if (auto failure = readProgram()) return failure;
  if (auto failure = openInterfaces()) return failure;
  if (auto failure = makeJobFolder(options_.folder, &path_)) return failure;
  if (auto failure = dropPrivileges()) return failure;
  if (::chdir(path_.c_str()) != 0)
    return Failure{Code::folder_unusable, withErrno("the folder " + path_ + " can't be entered", errno)};
  if (auto failure = openFolder()) return failure;
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return Failure{Code::system, withErrno("no signal descriptor", errno)};
  for (const auto& interface : interfaces_) interface->startThreads();
  Failed failure = limitSystemCalls();
  for (const auto& interface : interfaces_)
    if (!failure) failure = interface->start();
  if (failure) stop();
  told_.assign(interfaces_.size(), CaptureState::capturing);
  started_at_ = systemNow();
  return failure;
}

void Job::run() {
  for (const std::string& repair : repairs_) log(repair);
  std::vector<pollfd> waits;
  while (!stopping_) {
    waits.assign(1, {signals_.get(), POLLIN, 0});
    control_.addTo(&waits);
    if (::poll(waits.data(), waits.size(), kTickMs) < 0) continue;
    control_.handle(waits.data() + 1, waits.size() - 1);
    signalfd_siginfo signal;
    while (::read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal))
      if (signal.ssi_signo == SIGTERM || options_.foreground) stopping_ = true;
    tick();
  }
  log("ends");
  stop();
  for (const auto& interface : interfaces_) log(interface->statusJson());
}

void Job::tick() {
  retention_.enforce(systemNow());
  for (size_t i = 0; i < interfaces_.size(); ++i) {
    const CaptureState state = interfaces_[i]->state();
    if (state == told_[i]) continue;
    told_[i] = state;
    const int error = interfaces_[i]->diskError();
    log(interfaces_[i]->name() + ": " + nameOf(state) + (error != 0 ? std::string(": ") + std::strerror(error) : ""));
  }
}

void Job::stop() {
  for (const auto& interface : interfaces_) interface->stop(steadyMs() + limits::kStopDeadlineMs);
  for (const auto& interface : interfaces_) interface->join();
}

std::string Job::answer(std::string_view command) {
  if (command == "status") return statusJson();
  if (command == "seal") return seal();
  if (command.starts_with("retain ")) return retain(command.substr(7));
  if (command == "stop") {
    stopping_ = true;
    return Json().add("ok", true).object();
  }
  return refusal("the commands are status, seal, retain BYTES AGE_S and stop");
}

std::string Job::retain(std::string_view arguments) {
  RetentionLimits limits;
  const char* end = arguments.data() + arguments.size();
  const auto bytes = std::from_chars(arguments.data(), end, limits.bytes);
  if (bytes.ec != std::errc{} || bytes.ptr == end || *bytes.ptr != ' ')
    return refusal("retain takes bytes and seconds, 0 for no limit");
  const auto age = std::from_chars(bytes.ptr + 1, end, limits.age_s);
  if (age.ec != std::errc{} || age.ptr != end || limits.age_s < 0)
    return refusal("retain takes bytes and seconds, 0 for no limit");
  retention_.setLimits(limits);
  retention_.enforce(systemNow());
  return Json().add("ok", true).add("stored_bytes", retention_.bytes()).object();
}

std::string Job::seal() {
  for (const auto& interface : interfaces_) interface->askSeal();
  const auto until = std::chrono::steady_clock::now() + kSealWait;
  const auto done = [&] {
    return std::all_of(interfaces_.begin(), interfaces_.end(), [](const auto& i) { return i->sealed(); });
  };
  while (!done()) {
    if (std::chrono::steady_clock::now() > until)
      return Json()
          .add("ok", false)
          .add("error_id", nameOf(Code::system))
          .add("error_text", "the disk is busy")
          .object();
    std::this_thread::sleep_for(milliseconds(2));
  }
  return Json().add("ok", true).object();
}

std::string Job::statusJson() const {
  std::string interfaces;
  for (const auto& interface : interfaces_) interfaces += (interfaces.empty() ? "" : ",") + interface->statusJson();
  const RetentionLimits limits = retention_.limits();
  Json retain;
  retain.add("bytes", limits.bytes).add("age_s", limits.age_s);
  return Json()
      .add("ok", true)
      .add("version", version_)
      .add("pid", ::getpid())
      .add("started_at_ns", started_at_)
      .raw("retain", retain.object())
      .add("stored_bytes", retention_.bytes())
      .add("segments", retention_.segments())
      .add("segments_freed", retention_.freed())
      .add("oldest_ns", retention_.oldest())
      .raw("interfaces", "[" + interfaces + "]")
      .object();
}

}  // namespace spillway::capture
