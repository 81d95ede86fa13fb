// The addon's plain functions.
#pragma once
#include <napi.h>

namespace spillway {

void initFunctions(Napi::Env env, Napi::Object exports);

}  // namespace spillway
