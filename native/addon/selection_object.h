// The JavaScript class Selection.
#pragma once
#include <napi.h>

#include <memory>

#include "scan/selection.h"

namespace spillway {

class SelectionObject : public Napi::ObjectWrap<SelectionObject> {
 public:
  static void init(Napi::Env env, Napi::Object exports);
  explicit SelectionObject(const Napi::CallbackInfo& info);
  // The selection inside `value`; throws a TypeError where it is none.
  static std::shared_ptr<const Selection> from(const Napi::Value& value);

 private:
  std::shared_ptr<const Selection> selection_;
};

}  // namespace spillway
