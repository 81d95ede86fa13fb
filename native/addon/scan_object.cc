#include "addon/scan_object.h"

#include "addon/arguments.h"
#include "addon/selection_object.h"

namespace spillway {
namespace {

Napi::Object interfaceToJs(Napi::Env env, const InterfaceInfo& info) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("linkType", info.interface.link_type);
  object.Set("snapLengthBytes", info.interface.snap_length);
  Napi::Object resolution = Napi::Object::New(env);
  resolution.Set("base", info.interface.resolution.binary ? 2 : 10);
  resolution.Set("exponent", static_cast<uint32_t>(info.interface.resolution.exponent));
  object.Set("resolution", resolution);
  object.Set("offsetSeconds", Napi::BigInt::New(env, info.interface.offset_seconds));
  object.Set("packets", static_cast<double>(info.packets));
  if (!info.name.empty()) object.Set("name", info.name);
  if (!info.description.empty()) object.Set("description", info.description);
  return object;
}

}  // namespace

void ScanObject::init(Napi::Env env, Napi::Object exports) {
  exports.Set("Scan", DefineClass(env, "Scan",
                                  {
                                      InstanceMethod<&ScanObject::openRange>("openRange"),
                                      InstanceMethod<&ScanObject::moveTo>("moveTo"),
                                      InstanceMethod<&ScanObject::openStream>("openStream"),
                                      InstanceMethod<&ScanObject::feed>("feed"),
                                      InstanceMethod<&ScanObject::limit>("limit"),
                                      InstanceMethod<&ScanObject::numberFrom>("numberFrom"),
                                      InstanceMethod<&ScanObject::use>("use"),
                                      InstanceMethod<&ScanObject::step>("step"),
                                      InstanceMethod<&ScanObject::outLength>("outLength"),
                                      InstanceMethod<&ScanObject::needed>("needed"),
                                      InstanceMethod<&ScanObject::state>("state"),
                                      InstanceMethod<&ScanObject::info>("info"),
                                      InstanceMethod<&ScanObject::damageText>("damageText"),
                                      InstanceMethod<&ScanObject::sectionOptions>("sectionOptions"),
                                      InstanceAccessor<&ScanObject::report>("report"),
                                  }));
}

ScanObject::ScanObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ScanObject>(info), scan_(SelectionObject::from(info[0])), report_(makeReport(info.Env())) {}

void ScanObject::openRange(const Napi::CallbackInfo& info) {
  const Bytes state = info[3].IsNull() ? Bytes{} : bytesArgument(info[3], "state");
  const uint64_t start = wholeArgument(info[1], "start");
  const uint64_t end = wholeArgument(info[2], "end");
  const bool resync = info[4].ToBoolean();
  auto sums = sumsArgument(info[6], start, end);
  if (sums && resync) throw Napi::TypeError::New(info.Env(), "with sums nothing is guessed: resync must be false");
  open_ = scan_.openRange(fdArgument(info[0], "fd"), start, end, state, resync,
                          uint32Argument(info[5], "interfaceBase"), std::move(sums));
  if (!open_)
    throw Napi::TypeError::New(info.Env(), state.empty() ? "without a state a range starts at 0 and needs no resync"
                                                         : "state is not a reader's state");
  publish(scan_.counts(), report_);
}

Napi::Value ScanObject::moveTo(const Napi::CallbackInfo& info) {
  if (!open_) throw Napi::Error::New(info.Env(), "the scan is not open");
  const uint64_t start = wholeArgument(info[0], "start");
  const uint64_t end = wholeArgument(info[1], "end");
  if (scan_.sums() && !scan_.sums()->cover(start, end))
    throw Napi::TypeError::New(info.Env(), "the range must lie in the blocks of the sums");
  return Napi::Boolean::New(info.Env(), scan_.moveTo(start, end, bytesArgument(info[2], "state")));
}

void ScanObject::openStream(const Napi::CallbackInfo& info) {
  scan_.openStream(uint32Argument(info[0], "interfaceBase"));
  open_ = true;
  publish(scan_.counts(), report_);
}

void ScanObject::mustBeOpen(Napi::Env env) const {
  if (!open_) throw Napi::TypeError::New(env, "the scan is not open");
}

void ScanObject::feed(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  if (!scan_.takesFeed()) throw Napi::TypeError::New(info.Env(), "only a stream that is not over can be fed");
  scan_.feed(bytesArgument(info[0], "bytes"), info[1].ToBoolean());
}

void ScanObject::limit(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  scan_.limit(limitArguments(info));
}

void ScanObject::numberFrom(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  scan_.numberFrom(bigUintArgument(info[0], "number"));
}

void ScanObject::use(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  scan_.use(SelectionObject::from(info[0]));
}

Napi::Value ScanObject::step(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  size_t size = 0;
  uint8_t* out = writableArgument(info[0], "out", &size);
  const uint64_t offset = wholeArgument(info[1], "outOffset");
  const uint64_t budget = wholeArgument(info[2], "budgetBytes");
  if (offset > size) throw Napi::TypeError::New(info.Env(), "outOffset is beyond out");
  const Status status = scan_.step(out + offset, size - offset, budget);
  publish(scan_.counts(), report_);
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(status));
}

Napi::Value ScanObject::report(const Napi::CallbackInfo&) { return report_.Value(); }

Napi::Value ScanObject::outLength(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(scan_.outLength()));
}

Napi::Value ScanObject::needed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(scan_.needed()));
}

Napi::Value ScanObject::state(const Napi::CallbackInfo& info) {
  mustBeOpen(info.Env());
  const std::vector<uint8_t> state = scan_.state();
  return copyToJs(info.Env(), {state.data(), state.size()});
}

Napi::Value ScanObject::info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object object = Napi::Object::New(env);
  const bool known = scan_.sections() > 0;
  const bool is_pcap = known && scan_.pcap().has_value();
  const bool swapped = is_pcap ? scan_.pcap()->header().swapped : scan_.pcapng().swapped();
  object.Set("container", known ? Napi::String::New(env, is_pcap ? "pcap" : "pcapng") : env.Null());
  object.Set("byteOrder", known ? Napi::String::New(env, swapped ? "big" : "little") : env.Null());
  Napi::Array version = Napi::Array::New(env, 2);
  version.Set(0u, is_pcap ? scan_.pcap()->header().version_major : scan_.pcapng().versionMajor());
  version.Set(1u, is_pcap ? scan_.pcap()->header().version_minor : scan_.pcapng().versionMinor());
  object.Set("version", known ? version : env.Null());
  object.Set("timeUnit", is_pcap ? Napi::String::New(env, scan_.pcap()->header().nanos ? "ns" : "us") : env.Null());
  object.Set("sections", scan_.sections());
  Napi::Array interfaces = Napi::Array::New(env);
  uint32_t index = 0;
  for (const InterfaceInfo& one : scan_.interfaces()) interfaces.Set(index++, interfaceToJs(env, one));
  object.Set("interfaces", interfaces);
  return object;
}

Napi::Value ScanObject::damageText(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), scan_.damageText());
}

Napi::Value ScanObject::sectionOptions(const Napi::CallbackInfo& info) {
  return copyToJs(info.Env(), scan_.sectionOptions());
}

}  // namespace spillway
