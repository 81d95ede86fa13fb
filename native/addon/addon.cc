// The addon's entry: what src/native-contract.ts declares.
#include "addon/functions.h"
#include "addon/index_functions.h"
#include "addon/merge_object.h"
#include "addon/scan_object.h"
#include "addon/selection_object.h"

namespace spillway {

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  SelectionObject::init(env, exports);
  ScanObject::init(env, exports);
  MergeObject::init(env, exports);
  initFunctions(env, exports);
  initGivePages(env, exports);
  initIndex(env, exports);
  return exports;
}

NODE_API_MODULE(spillway, init)

}  // namespace spillway
