#include "addon/arguments.h"

#include <cmath>
#include <cstring>

namespace spillway {
namespace {

[[noreturn]] void refuse(const Napi::Value& value, const char* name, const char* what) {
  throw Napi::TypeError::New(value.Env(), std::string(name) + " must be " + what);
}

// Read through napi_get_typedarray_info: Node 20 refuses napi_get_arraybuffer_info on a SharedArrayBuffer. `what` is
// the name of `wanted`, whose elements are T.
template <class T>
T* typedArray(const Napi::Value& value, const char* name, napi_typedarray_type wanted, const char* what, size_t* size) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, size, &data, nullptr, nullptr) != napi_ok || type != wanted)
    refuse(value, name, what);
  return static_cast<T*>(data);
}

uint8_t* bytesOf(const Napi::Value& value, const char* name, size_t* size) {
  return typedArray<uint8_t>(value, name, napi_uint8_array, "a Uint8Array", size);
}

// An array that has an element for each of `count` blocks.
template <class T>
const T* perBlock(const Napi::Value& value, const char* name, napi_typedarray_type wanted, const char* what,
                  size_t count) {
  size_t size = 0;
  const T* data = typedArray<T>(value, name, wanted, what, &size);
  if (size != count) refuse(value, name, "as many as there are pairs of sums.bounds");
  return data;
}

constexpr const char* kWhole = "a whole number from 0 to 2^53 - 1";
bool isWhole(double number) { return number >= 0 && number <= 9007199254740991.0 && std::floor(number) == number; }

}  // namespace

Bytes bytesArgument(const Napi::Value& value, const char* name) {
  size_t size = 0;
  const uint8_t* data = bytesOf(value, name, &size);
  return {data, size};
}

uint8_t* writableArgument(const Napi::Value& value, const char* name, size_t* size) {
  return bytesOf(value, name, size);
}

uint64_t wholeArgument(const Napi::Value& value, const char* name) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!isWhole(number)) refuse(value, name, kWhole);
  return static_cast<uint64_t>(number);
}

uint32_t uint32Argument(const Napi::Value& value, const char* name) {
  const uint64_t number = wholeArgument(value, name);
  if (number > UINT32_MAX) refuse(value, name, "at most 2^32 - 1");
  return static_cast<uint32_t>(number);
}

int fdArgument(const Napi::Value& value, const char* name) {
  const uint64_t number = wholeArgument(value, name);
  if (number > INT32_MAX) refuse(value, name, "a file descriptor");
  return static_cast<int>(number);
}

uint64_t bigUintArgument(const Napi::Value& value, const char* name) {
  bool exact = false;
  const uint64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&exact) : 0;
  if (!exact) refuse(value, name, "a bigint from 0 to 2^64 - 1");
  return number;
}

int64_t bigIntArgument(const Napi::Value& value, const char* name) {
  bool exact = false;
  const int64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Int64Value(&exact) : 0;
  if (!exact) refuse(value, name, "a bigint from -2^63 to 2^63 - 1");
  return number;
}

Format formatArgument(const Napi::Value& value, const char* name) {
  static constexpr const char* kNames[] = {"pcap_us", "pcap_ns", "pcapng_us", "pcapng_ns", "records", "none"};
  const std::string text = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  for (size_t i = 0; i < std::size(kNames); ++i)
    if (text == kNames[i]) return static_cast<Format>(i);
  refuse(value, name, "an output format");
}

std::vector<Window> windowsArgument(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_bigint64_array)
    refuse(value, name, "a BigInt64Array");
  const auto array = value.As<Napi::BigInt64Array>();
  const size_t length = array.ElementLength();
  if (length % 2 != 0) refuse(value, name, "pairs");
  std::vector<Window> windows;
  for (size_t i = 0; i < length; i += 2) {
    const Window window{array.Data()[i], array.Data()[i + 1]};
    if (window.start > window.end || (!windows.empty() && window.start < windows.back().end))
      refuse(value, name, "sorted and disjoint");
    windows.push_back(window);
  }
  return windows;
}

std::shared_ptr<const BlockSums> sumsArgument(const Napi::Value& value, uint64_t start, uint64_t end) {
  if (value.IsNull() || value.IsUndefined()) return nullptr;
  if (!value.IsObject()) refuse(value, "sums", "an object or null");
  const auto object = value.As<Napi::Object>();
  const Napi::Value bounds = object.Get("bounds");
  size_t numbers = 0;
  const double* bound = typedArray<double>(bounds, "sums.bounds", napi_float64_array, "a Float64Array", &numbers);
  if (numbers % 2 != 0) refuse(bounds, "sums.bounds", "pairs");
  const size_t count = numbers / 2;
  const auto* crc = perBlock<uint32_t>(object.Get("crcs"), "sums.crcs", napi_uint32_array, "a Uint32Array", count);
  perBlock<uint32_t>(object.Get("packets"), "sums.packets", napi_uint32_array, "a Uint32Array", count);
  const auto* describes =
      perBlock<uint8_t>(object.Get("describes"), "sums.describes", napi_uint8_array, "a Uint8Array", count);
  // Each element is read once: the memory may be shared.
  const auto whole = [&](double number) {
    if (!isWhole(number)) refuse(bounds, "sums.bounds", kWhole);
    return static_cast<uint64_t>(number);
  };
  std::vector<BlockSum> blocks(count);
  for (size_t i = 0; i < count; ++i)
    blocks[i] = {whole(bound[2 * i]), whole(bound[2 * i + 1]), crc[i], describes[i] != 0};
  std::string why;
  const Bytes state = bytesArgument(object.Get("stateBehindFirst"), "sums.stateBehindFirst");
  auto sums = BlockSums::of(std::move(blocks), &why, {state.data, state.data + state.size});
  if (!sums) throw Napi::TypeError::New(value.Env(), "the blocks of sums are " + why);
  if (!sums->cover(start, end)) refuse(value, "sums", "of all blocks of the range");
  return sums;
}

Limits limitArguments(const Napi::CallbackInfo& info) {
  Limits limits;
  if (!info[0].IsNull()) limits.packets = bigUintArgument(info[0], "packets");
  if (!info[1].IsNull()) limits.captured_bytes = bigUintArgument(info[1], "capturedBytes");
  if (!info[2].IsNull()) limits.duration = bigIntArgument(info[2], "durationNs");
  if (!info[3].IsNull()) limits.first_time = bigIntArgument(info[3], "firstTimeNs");
  return limits;
}

Napi::Uint8Array copyToJs(Napi::Env env, Bytes bytes) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size);
  if (!bytes.empty()) std::memcpy(array.Data(), bytes.data, bytes.size);
  return array;
}

}  // namespace spillway
