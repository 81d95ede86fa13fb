#include "addon/selection_object.h"

#include "addon/arguments.h"
#include "base/limits.h"
#include "format/pcapng_statistics.h"

namespace spillway {
namespace {

constexpr napi_type_tag kTag = {0x5b1d6f1c0a8e4d33, 0x9a7c2b6e51f04e01};

std::vector<Selection::Filter> filtersOf(const Napi::Value& value) {
  std::vector<Selection::Filter> filters;
  if (value.IsNull()) return filters;
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "filters must be an array or null");
  const auto list = value.As<Napi::Array>();
  if (list.Length() > limits::kMaxFilters)
    throw Napi::TypeError::New(value.Env(), "there may be " + std::to_string(limits::kMaxFilters) + " filters at most");
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Value entry = list.Get(i);
    if (!entry.IsArray()) throw Napi::TypeError::New(value.Env(), "a filter must be an array of programs");
    Selection::Filter filter;
    const auto programs = entry.As<Napi::Array>();
    for (uint32_t j = 0; j < programs.Length(); ++j) {
      const Napi::Value item = programs.Get(j);
      if (!item.IsObject()) throw Napi::TypeError::New(value.Env(), "a program must be an object");
      const auto object = item.As<Napi::Object>();
      std::string why;
      std::unique_ptr<const Program> program = Program::verify(bytesArgument(object.Get("code"), "code"), &why);
      if (!program) {
        Napi::Error error = Napi::Error::New(value.Env(), "the program is refused: " + why);
        error.Set("code", Napi::String::New(value.Env(), "FILTER_INVALID"));
        throw error;
      }
      filter.emplace_back(uint32Argument(object.Get("linkType"), "linkType"), std::move(program));
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::string commentOf(const Napi::Value& value) {
  if (value.IsUndefined()) return {};
  std::string comment = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (comment.empty() || comment.size() > pcapng::kMaxComment)
    throw Napi::TypeError::New(value.Env(), "interfaceComment must be a text of at most 65,535 bytes");
  return comment;
}

std::optional<Chosen> chosenOf(const Napi::Value& value) {
  if (value.IsUndefined()) return {};
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "chosen must be an object");
  const auto object = value.As<Napi::Object>();
  Chosen chosen{windowsArgument(object.Get("rangeNs"), "chosen.rangeNs"), {}};
  if (chosen.range.size() > 1) throw Napi::TypeError::New(value.Env(), "chosen.rangeNs must be one range at most");
  const Bytes bits = bytesArgument(object.Get("bits"), "chosen.bits");
  chosen.bits.assign(bits.data, bits.data + bits.size);
  return chosen;
}

}  // namespace

void SelectionObject::init(Napi::Env env, Napi::Object exports) {
  exports.Set("Selection", DefineClass(env, "Selection", {}));
}

SelectionObject::SelectionObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SelectionObject>(info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "Selection takes an object");
  const auto options = info[0].As<Napi::Object>();
  selection_ = std::make_shared<const Selection>(
      formatArgument(options.Get("format"), "format"),
      uint32Argument(options.Get("snapLengthBytes"), "snapLengthBytes"),
      windowsArgument(options.Get("windowsNs"), "windowsNs"), filtersOf(options.Get("filters")),
      commentOf(options.Get("interfaceComment")), chosenOf(options.Get("chosen")));
  Value().TypeTag(&kTag);
}

std::shared_ptr<const Selection> SelectionObject::from(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag))
    throw Napi::TypeError::New(value.Env(), "a Selection is needed");
  return Napi::ObjectWrap<SelectionObject>::Unwrap(value.As<Napi::Object>())->selection_;
}

}  // namespace spillway
