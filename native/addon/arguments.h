// Checked arguments: each throws a TypeError that names the argument.
#pragma once
#include <napi.h>

#include <string>

#include "base/bytes.h"
#include "format/packet.h"
#include "scan/block_sums.h"
#include "scan/sieve.h"

namespace spillway {

// The bytes of a Uint8Array, owned by JavaScript: valid during the call. A view over a SharedArrayBuffer is one too.
Bytes bytesArgument(const Napi::Value& value, const char* name);
uint8_t* writableArgument(const Napi::Value& value, const char* name, size_t* size);
// A whole number in [0, 2^53).
uint64_t wholeArgument(const Napi::Value& value, const char* name);
uint32_t uint32Argument(const Napi::Value& value, const char* name);
int fdArgument(const Napi::Value& value, const char* name);
uint64_t bigUintArgument(const Napi::Value& value, const char* name);
int64_t bigIntArgument(const Napi::Value& value, const char* name);
// Sorted, disjoint [start, end) pairs in a BigInt64Array.
std::vector<Window> windowsArgument(const Napi::Value& value, const char* name);
// A BlockSums of src/native-contract.ts, copied; nothing for null and undefined. Every byte of [start, end) must be in
// a block.
std::shared_ptr<const BlockSums> sumsArgument(const Napi::Value& value, uint64_t start, uint64_t end);
Format formatArgument(const Napi::Value& value, const char* name);
// The four arguments of limit().
Limits limitArguments(const Napi::CallbackInfo& info);
Napi::Uint8Array copyToJs(Napi::Env env, Bytes bytes);

}  // namespace spillway
