#include "addon/merge_object.h"

#include "addon/arguments.h"
#include "addon/selection_object.h"

namespace spillway {
namespace {

Nanos firstTimeArgument(const Napi::Value& value) {
  return value.IsNull() ? kNanosMin : bigIntArgument(value, "firstTimeNs");
}

// -1: none.
int64_t linkTypeArgument(const Napi::Value& value) {
  return value.IsNull() ? -1 : static_cast<int64_t>(uint32Argument(value, "linkTypeOut"));
}

}  // namespace

void MergeObject::init(Napi::Env env, Napi::Object exports) {
  exports.Set("Merge", DefineClass(env, "Merge",
                                   {
                                       InstanceMethod<&MergeObject::addRange>("addRange"),
                                       InstanceMethod<&MergeObject::addStream>("addStream"),
                                       InstanceMethod<&MergeObject::feed>("feed"),
                                       InstanceMethod<&MergeObject::fault>("fault"),
                                       InstanceMethod<&MergeObject::addLane>("addLane"),
                                       InstanceMethod<&MergeObject::next>("next"),
                                       InstanceMethod<&MergeObject::idle>("idle"),
                                       InstanceMethod<&MergeObject::finish>("finish"),
                                       InstanceMethod<&MergeObject::interfaceBase>("interfaceBase"),
                                       InstanceMethod<&MergeObject::limit>("limit"),
                                       InstanceMethod<&MergeObject::numberFrom>("numberFrom"),
                                       InstanceMethod<&MergeObject::use>("use"),
                                       InstanceMethod<&MergeObject::step>("step"),
                                       InstanceMethod<&MergeObject::startCounts>("startCounts"),
                                       InstanceMethod<&MergeObject::source>("source"),
                                       InstanceMethod<&MergeObject::over>("over"),
                                       InstanceMethod<&MergeObject::place>("place"),
                                       InstanceMethod<&MergeObject::outLength>("outLength"),
                                       InstanceMethod<&MergeObject::needed>("needed"),
                                       InstanceMethod<&MergeObject::damageText>("damageText"),
                                       InstanceAccessor<&MergeObject::report>("report"),
                                   }));
}

MergeObject::MergeObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MergeObject>(info),
      merge_(SelectionObject::from(info[0]), uint32Argument(info[1], "interfaceCount"), linkTypeArgument(info[2])),
      report_(makeReport(info.Env())) {
  publish(merge_.counts(), report_);
}

void MergeObject::mustNotHaveBegun(Napi::Env env) const {
  if (begun_) throw Napi::TypeError::New(env, "sources are added before the first step");
}

uint32_t MergeObject::sourceArgument(const Napi::Value& value, const char* name) const {
  const uint32_t source = uint32Argument(value, name);
  if (source >= merge_.sources())
    throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a source that was added");
  return source;
}

uint32_t MergeObject::streamArgument(const Napi::Value& value) const {
  const uint32_t source = sourceArgument(value, "source");
  if (!merge_.takesFeed(source)) throw Napi::TypeError::New(value.Env(), "only a stream that is not over can be fed");
  return source;
}

void MergeObject::mustBeAsked(const Napi::Value& value) const {
  if (sourceArgument(value, "source") != merge_.asked())
    throw Napi::TypeError::New(value.Env(), "source must be the lane that step asked for");
}

void MergeObject::addRange(const Napi::CallbackInfo& info) {
  mustNotHaveBegun(info.Env());
  const int fd = fdArgument(info[0], "fd");
  const uint64_t start = wholeArgument(info[1], "start");
  const uint64_t end = wholeArgument(info[2], "end");
  const Bytes state = info[3].IsNull() ? Bytes{} : bytesArgument(info[3], "state");
  const uint32_t interface_base = uint32Argument(info[4], "interfaceBase");
  const Nanos first = firstTimeArgument(info[5]);
  const uint32_t read_bytes = uint32Argument(info[6], "readBytes");
  if (merge_.addRange(fd, start, end, state, interface_base, first, read_bytes)) return;
  throw Napi::TypeError::New(info.Env(),
                             state.empty() ? "without a state a range starts at 0" : "state is not a reader's state");
}

void MergeObject::addStream(const Napi::CallbackInfo& info) {
  mustNotHaveBegun(info.Env());
  merge_.addStream(firstTimeArgument(info[0]));
}

void MergeObject::feed(const Napi::CallbackInfo& info) {
  const uint32_t source = streamArgument(info[0]);
  merge_.feed(source, bytesArgument(info[1], "bytes"), info[2].ToBoolean());
}

void MergeObject::fault(const Napi::CallbackInfo& info) {
  const uint32_t source = streamArgument(info[0]);
  if (!info[1].IsString()) throw Napi::TypeError::New(info.Env(), "text must be a text");
  merge_.fault(source, info[1].As<Napi::String>().Utf8Value());
}

void MergeObject::addLane(const Napi::CallbackInfo& info) {
  mustNotHaveBegun(info.Env());
  merge_.addLane(firstTimeArgument(info[0]));
}

void MergeObject::next(const Napi::CallbackInfo& info) {
  mustBeAsked(info[0]);
  const int fd = fdArgument(info[1], "fd");
  const uint64_t start = wholeArgument(info[2], "start");
  const uint64_t end = wholeArgument(info[3], "end");
  const Bytes state = info[4].IsNull() ? Bytes{} : bytesArgument(info[4], "state");
  std::optional<uint32_t> interface_base;
  if (!info[5].IsNull()) interface_base = uint32Argument(info[5], "interfaceBase");
  const uint32_t read_bytes = uint32Argument(info[6], "readBytes");
  auto sums = sumsArgument(info[7], start, end);
  if (merge_.next(fd, start, end, state, interface_base, read_bytes, std::move(sums))) return;
  throw Napi::TypeError::New(
      info.Env(), state.empty() ? "without a state a range starts at 0"
                                : "state is not a reader's state, or has not as many interfaces as the stretch before");
}

void MergeObject::idle(const Napi::CallbackInfo& info) {
  mustBeAsked(info[0]);
  merge_.idle(bigIntArgument(info[1], "untilNs"));
}

void MergeObject::finish(const Napi::CallbackInfo& info) {
  mustBeAsked(info[0]);
  merge_.finish();
}

Napi::Value MergeObject::interfaceBase(const Napi::CallbackInfo& info) {
  const auto base = merge_.interfaceBase(sourceArgument(info[0], "source"));
  return base ? Napi::Number::New(info.Env(), *base) : info.Env().Null();
}

void MergeObject::limit(const Napi::CallbackInfo& info) { merge_.limit(limitArguments(info)); }

void MergeObject::numberFrom(const Napi::CallbackInfo& info) { merge_.numberFrom(bigUintArgument(info[0], "number")); }

void MergeObject::use(const Napi::CallbackInfo& info) { merge_.use(SelectionObject::from(info[0])); }

Napi::Value MergeObject::step(const Napi::CallbackInfo& info) {
  size_t size = 0;
  uint8_t* out = writableArgument(info[0], "out", &size);
  const uint64_t offset = wholeArgument(info[1], "outOffset");
  const uint64_t budget = wholeArgument(info[2], "budgetBytes");
  if (offset > size) throw Napi::TypeError::New(info.Env(), "outOffset is beyond out");
  begun_ = true;
  const Status status = merge_.step(out + offset, size - offset, budget);
  publish(merge_.counts(), report_);
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(status));
}

void MergeObject::startCounts(const Napi::CallbackInfo&) {
  merge_.startCounts();
  publish(merge_.counts(), report_);
}

Napi::Value MergeObject::source(const Napi::CallbackInfo& info) {
  const uint32_t source = merge_.source();
  return source == Merge::kNoSource ? info.Env().Null() : Napi::Number::New(info.Env(), source);
}

Napi::Value MergeObject::over(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), merge_.over(sourceArgument(info[0], "source")));
}

Napi::Value MergeObject::place(const Napi::CallbackInfo& info) {
  const auto place = merge_.place(sourceArgument(info[0], "source"));
  if (!place) return info.Env().Null();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("offset", static_cast<double>(place->offset));
  object.Set("state", copyToJs(info.Env(), {place->state.data(), place->state.size()}));
  object.Set("interfaceBase", place->interface_base);
  return object;
}

Napi::Value MergeObject::outLength(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(merge_.outLength()));
}

Napi::Value MergeObject::needed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(merge_.needed()));
}

Napi::Value MergeObject::damageText(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), merge_.damageText());
}

Napi::Value MergeObject::report(const Napi::CallbackInfo&) { return report_.Value(); }

}  // namespace spillway
