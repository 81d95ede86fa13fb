// A capture job: all its interfaces, one retention, one control socket.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/control.h"
#include "capture/failure.h"
#include "capture/fd.h"
#include "capture/interface_capture.h"
#include "capture/options.h"
#include "capture/retention.h"

namespace spillway::capture {

class Job {
 public:
  // `version`: of this program, told in the status and in every segment.
  Job(const Options& options, std::string version)
      : options_(options), version_(std::move(version)), retention_(options.retain) {}

  // Opens, in this order: the interfaces (privileged), the folder (no longer), everything else; then limits itself.
  // The job's folder is the working directory from then on. Packets are taken from the moment this returns.
  Failed start();
  // The folder's absolute path, once started.
  const std::string& folder() const { return path_; }
  // Runs until SIGTERM (in the foreground also SIGINT and SIGHUP) or the command `stop`. All signals named are blocked.
  void run();

 private:
  Failed readProgram();
  Failed openInterfaces();
  Failed openFolder();
  std::string answer(std::string_view command);
  std::string retain(std::string_view arguments);
  std::string seal();
  std::string statusJson() const;
  void tick();
  void stop();

  Options options_;
  std::string version_;
  std::string path_;
  std::vector<uint8_t> program_bytes_;
  std::unique_ptr<Program> program_;
  Fd lock_;
  Fd signals_;
  Retention retention_;
  std::vector<std::unique_ptr<InterfaceCapture>> interfaces_;
  std::vector<std::string> repairs_;  // of the start, for the log
  std::vector<CaptureState> told_;    // states as the log tells them
  ControlSocket control_;
  bool stopping_ = false;
  int64_t started_at_ = 0;  // ns
};

}  // namespace spillway::capture
