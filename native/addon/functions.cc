#include "addon/functions.h"

#include "addon/arguments.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "filter/program.h"
#include "format/pcap_writer.h"
#include "format/pcapng_statistics.h"
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

std::optional<uint64_t> countArgument(const Napi::Value& value, const char* name) {
  if (value.IsNull()) return std::nullopt;
  return bigUintArgument(value, name);
}

Napi::Value statisticsBlock(const Napi::CallbackInfo& info) {
  const Format format = formatArgument(info[0], "format");
  if (format != Format::pcapng_us && format != Format::pcapng_ns)
    throw Napi::TypeError::New(info.Env(), "format must be pcapng_us or pcapng_ns");
  // What the format can't hold is cut to what it can, as of packets whose times were.
  const auto ticks = [&](const Napi::Value& value, const char* name) {
    const Nanos time = std::max<Nanos>(bigIntArgument(value, name), 0);
    return static_cast<uint64_t>(format == Format::pcapng_us ? time / 1000 : time);
  };
  pcapng::Statistics statistics;
  statistics.interface = uint32Argument(info[1], "interfaceId");
  statistics.time = ticks(info[2], "timeNs");
  if (!info[3].IsNull()) statistics.start = ticks(info[3], "startNs");
  if (!info[4].IsNull()) statistics.end = ticks(info[4], "endNs");
  statistics.received = countArgument(info[5], "received");
  statistics.dropped = countArgument(info[6], "dropped");
  statistics.os_dropped = countArgument(info[7], "osDropped");
  if (!info[8].IsNull() && !info[8].IsString())
    throw Napi::TypeError::New(info.Env(), "comment must be a text or null");
  const std::string comment = info[8].IsNull() ? "" : info[8].As<Napi::String>().Utf8Value();
  if (comment.size() > pcapng::kMaxComment)
    throw Napi::TypeError::New(info.Env(), "comment must have at most 65,535 bytes");
  statistics.comment = comment;
  Napi::Uint8Array block = Napi::Uint8Array::New(info.Env(), pcapng::statisticsBytes(statistics));
  pcapng::putStatistics(block.Data(), statistics);
  return block;
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

Napi::Value newPipe(const Napi::CallbackInfo& info) {
  int ends[2];
  if (!openPipe(ends)) return info.Env().Null();
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0u, ends[0]);
  both.Set(1u, ends[1]);
  return both;
}

Napi::Value shareLock(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), lockShared(fdArgument(info[0], "fd")));
}

}  // namespace

void initFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("fileHeader", Napi::Function::New<fileHeader>(env, "fileHeader"));
  exports.Set("statisticsBlock", Napi::Function::New<statisticsBlock>(env, "statisticsBlock"));
  exports.Set("crc32c", Napi::Function::New<crc>(env, "crc32c"));
  exports.Set("crc32cCombine", Napi::Function::New<combine>(env, "crc32cCombine"));
  exports.Set("verifyProgram", Napi::Function::New<verifyProgram>(env, "verifyProgram"));
  exports.Set("runProgram", Napi::Function::New<runProgram>(env, "runProgram"));
  exports.Set("setPipeSize", Napi::Function::New<pipeSize>(env, "setPipeSize"));
  exports.Set("openPipe", Napi::Function::New<newPipe>(env, "openPipe"));
  exports.Set("lockShared", Napi::Function::New<shareLock>(env, "lockShared"));
  exports.Set("version", Napi::String::New(env, SPILLWAY_VERSION));
}

}  // namespace spillway
