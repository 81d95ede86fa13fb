#include "addon/functions.h"

#include "addon/arguments.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "filter/program.h"
#include "format/pcap_writer.h"
#include "format/pcapng_writer.h"

namespace spillway {
namespace {

Napi::Value fileHeader(const Napi::CallbackInfo& info) {
  const Format format = formatArgument(info[0], "format");
  const uint32_t link_type = uint32Argument(info[1], "linkType");
  const uint32_t snap_length = uint32Argument(info[2], "snapLengthBytes");
  const Bytes options = info[3].IsNull() ? Bytes{} : bytesArgument(info[3], "sectionOptions");
  std::vector<uint8_t> header;
  if (format == Format::pcap_us || format == Format::pcap_ns) {
    header.resize(pcap::kFileHeaderBytes);
    pcap::putFileHeader(header.data(), format == Format::pcap_ns, snap_length, link_type);
  } else if (format == Format::pcapng_us || format == Format::pcapng_ns) {
    pcapng::putSection(&header, options);
  }
  return copyToJs(info.Env(), {header.data(), header.size()});
}

Napi::Value crc(const Napi::CallbackInfo& info) {
  const Bytes bytes = bytesArgument(info[0], "bytes");
  return Napi::Number::New(info.Env(), crc32c(bytes.data, bytes.size, uint32Argument(info[1], "before")));
}

Napi::Value combine(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), crc32cCombine(uint32Argument(info[0], "a"), uint32Argument(info[1], "b"),
                                                     wholeArgument(info[2], "lengthBytesB")));
}

Napi::Value verifyProgram(const Napi::CallbackInfo& info) {
  std::string why;
  if (Program::verify(bytesArgument(info[0], "code"), &why)) return info.Env().Null();
  return Napi::String::New(info.Env(), why);
}

Napi::Value runProgram(const Napi::CallbackInfo& info) {
  std::string why;
  const auto program = Program::verify(bytesArgument(info[0], "code"), &why);
  if (!program) throw Napi::TypeError::New(info.Env(), "the program is refused: " + why);
  const Bytes packet = bytesArgument(info[1], "packet");
  return Napi::Number::New(
      info.Env(), program->run(packet.data, static_cast<uint32_t>(packet.size), uint32Argument(info[2], "wireLength")));
}

Napi::Value pipeSize(const Napi::CallbackInfo& info) {
  const uint32_t bytes = uint32Argument(info[1], "bytes");
  return Napi::Number::New(info.Env(), setPipeSize(fdArgument(info[0], "fd"), static_cast<int>(bytes)));
}

Napi::Value shareLock(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), lockShared(fdArgument(info[0], "fd")));
}

}  // namespace

void initFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("fileHeader", Napi::Function::New<fileHeader>(env, "fileHeader"));
  exports.Set("crc32c", Napi::Function::New<crc>(env, "crc32c"));
  exports.Set("crc32cCombine", Napi::Function::New<combine>(env, "crc32cCombine"));
  exports.Set("verifyProgram", Napi::Function::New<verifyProgram>(env, "verifyProgram"));
  exports.Set("runProgram", Napi::Function::New<runProgram>(env, "runProgram"));
  exports.Set("setPipeSize", Napi::Function::New<pipeSize>(env, "setPipeSize"));
  exports.Set("lockShared", Napi::Function::New<shareLock>(env, "lockShared"));
  exports.Set("version", Napi::String::New(env, SPILLWAY_VERSION));
}

}  // namespace spillway
