// The index: asking it, and making one for a file.
#pragma once
#include <napi.h>

namespace spillway {

void initIndex(Napi::Env env, Napi::Object exports);

}  // namespace spillway
