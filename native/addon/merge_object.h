// The JavaScript class Merge.
#pragma once
#include <napi.h>

#include "addon/report.h"
#include "scan/merge.h"

namespace spillway {

class MergeObject : public Napi::ObjectWrap<MergeObject> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  explicit MergeObject(const Napi::CallbackInfo& info);

 private:
  void addRange(const Napi::CallbackInfo& info);
  void addStream(const Napi::CallbackInfo& info);
  void feed(const Napi::CallbackInfo& info);
  void fault(const Napi::CallbackInfo& info);
  void addLane(const Napi::CallbackInfo& info);
  void next(const Napi::CallbackInfo& info);
  void idle(const Napi::CallbackInfo& info);
  void finish(const Napi::CallbackInfo& info);
  Napi::Value interfaceBase(const Napi::CallbackInfo& info);
  void limit(const Napi::CallbackInfo& info);
  void numberFrom(const Napi::CallbackInfo& info);
  void use(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  void startCounts(const Napi::CallbackInfo& info);
  Napi::Value source(const Napi::CallbackInfo& info);
  Napi::Value over(const Napi::CallbackInfo& info);
  Napi::Value place(const Napi::CallbackInfo& info);
  Napi::Value outLength(const Napi::CallbackInfo& info);
  Napi::Value needed(const Napi::CallbackInfo& info);
  Napi::Value damageText(const Napi::CallbackInfo& info);
  Napi::Value report(const Napi::CallbackInfo& info);

  // The number of a source that was added.
  uint32_t sourceArgument(const Napi::Value& value, const char* name) const;
  uint32_t streamArgument(const Napi::Value& value) const;
  void mustBeAsked(const Napi::Value& value) const;
  void mustNotHaveBegun(Napi::Env env) const;

  Merge merge_;
  bool begun_ = false;
  Report report_;
};

}  // namespace spillway
