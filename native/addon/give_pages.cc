// givePages, adviseLargePages and dropPages: an output slot's way into a pipe. It waits for the pipe's reader, so it
// runs where Node's own writes run, on a thread of libuv's pool, and touches nothing of JavaScript there.
#include <cerrno>

#include "addon/arguments.h"
#include "addon/functions.h"
#include "base/pages.h"

namespace spillway {
namespace {

class GiveWorker : public Napi::AsyncWorker {
 public:
  GiveWorker(Napi::Env env, Napi::Object slot, int fd, Memory memory, size_t size)
      : Napi::AsyncWorker(env), deferred_(env), slot_(Napi::Persistent(slot)), fd_(fd), memory_(memory), size_(size) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { error_ = -givePages(fd_, memory_, memory_.data, size_); }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), error_)); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference slot_;  // keeps the memory
  int fd_;
  Memory memory_;
  size_t size_;
  int error_ = 0;
};

Memory memoryArgument(const Napi::Value& value, const char* name) {
  Memory memory;
  memory.data = writableArgument(value, name, &memory.size);
  return memory;
}

Napi::Value give(const Napi::CallbackInfo& info) {
  const int fd = fdArgument(info[0], "fd");
  const Memory memory = memoryArgument(info[1], "slot");
  const uint64_t size = wholeArgument(info[2], "lengthBytes");
  if (size > memory.size) throw Napi::TypeError::New(info.Env(), "lengthBytes must be at most the slot's length");
  auto* worker = new GiveWorker(info.Env(), info[1].As<Napi::Object>(), fd, memory, static_cast<size_t>(size));
  worker->Queue();
  return worker->promise();
}

Napi::Value largePages(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(adviseLargePages(memoryArgument(info[0], "memory"))));
}

Napi::Value drop(const Napi::CallbackInfo& info) {
  dropPages(memoryArgument(info[0], "memory"));
  return info.Env().Undefined();
}

}  // namespace

void initGivePages(Napi::Env env, Napi::Object exports) {
  exports.Set("givePages", Napi::Function::New<give>(env, "givePages"));
  exports.Set("dropPages", Napi::Function::New<drop>(env, "dropPages"));
  exports.Set("adviseLargePages", Napi::Function::New<largePages>(env, "adviseLargePages"));
}

}  // namespace spillway
