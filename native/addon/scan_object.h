// The JavaScript class Scan.
#pragma once
#include <napi.h>

#include "addon/report.h"
#include "scan/scan.h"

namespace spillway {

class ScanObject : public Napi::ObjectWrap<ScanObject> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  explicit ScanObject(const Napi::CallbackInfo& info);

 private:
  void openRange(const Napi::CallbackInfo& info);
  Napi::Value moveTo(const Napi::CallbackInfo& info);
  void openStream(const Napi::CallbackInfo& info);
  void feed(const Napi::CallbackInfo& info);
  void limit(const Napi::CallbackInfo& info);
  void numberFrom(const Napi::CallbackInfo& info);
  void use(const Napi::CallbackInfo& info);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value outLength(const Napi::CallbackInfo& info);
  Napi::Value needed(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value damageText(const Napi::CallbackInfo& info);
  Napi::Value sectionOptions(const Napi::CallbackInfo& info);
  Napi::Value report(const Napi::CallbackInfo& info);
  void mustBeOpen(Napi::Env env) const;

  Scan scan_;
  bool open_ = false;
  Report report_;
};

}  // namespace spillway
