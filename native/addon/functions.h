// The addon's plain functions.
#pragma once
#include <napi.h>

namespace spillway {

void initFunctions(Napi::Env env, Napi::Object exports);
// Those about whole pages of an output slot (give_pages.cc).
void initGivePages(Napi::Env env, Napi::Object exports);

}  // namespace spillway
