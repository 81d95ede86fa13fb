// probeIndex, and the class IndexFile: the index as JavaScript knows it.
#include <limits>

#include "addon/arguments.h"
#include "addon/index_functions.h"
#include "filter/needs.h"
#include "scan/index_file.h"
#include "scan/probe.h"

namespace spillway {
namespace {

// All that the filters need of a packet of each link type: they are and-ed, so that every clause of each holds.
std::vector<IndexQuery::LinkNeeds> needsArgument(const Napi::Value& value) {
  std::vector<IndexQuery::LinkNeeds> all;
  if (value.IsNull()) return all;
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "filters must be an array or null");
  const auto filters = value.As<Napi::Array>();
  for (uint32_t i = 0; i < filters.Length(); ++i) {
    const Napi::Value filter = filters.Get(i);
    if (!filter.IsArray()) throw Napi::TypeError::New(value.Env(), "a filter must be an array of programs");
    const auto programs = filter.As<Napi::Array>();
    for (uint32_t j = 0; j < programs.Length(); ++j) {
      const Napi::Value program = programs.Get(j);
      if (!program.IsObject()) throw Napi::TypeError::New(value.Env(), "a program must be an object");
      const auto object = program.As<Napi::Object>();
      const uint32_t link_type = uint32Argument(object.Get("linkType"), "linkType");
      all.push_back({link_type, needsOf(bytesArgument(object.Get("code"), "code"), link_type)});
    }
  }
  return all;
}

std::vector<TimeSpan> spansArgument(const Napi::Value& value) {
  std::vector<TimeSpan> spans;
  for (const auto& [start, end] : windowsArgument(value, "windowsNs")) spans.push_back({start, end});
  return spans;
}

Napi::Object sumsToJs(Napi::Env env, const ProbeAnswer& answer) {
  const std::vector<BlockEntry>& blocks = answer.blocks;
  const size_t count = blocks.size();
  auto bounds = Napi::Float64Array::New(env, 2 * count);
  auto crcs = Napi::Uint32Array::New(env, count);
  auto packets = Napi::Uint32Array::New(env, count);
  auto describes = Napi::Uint8Array::New(env, count);
  for (size_t i = 0; i < count; ++i) {
    bounds.Data()[2 * i] = static_cast<double>(blocks[i].offset);
    bounds.Data()[2 * i + 1] = static_cast<double>(blocks[i].end());
    crcs.Data()[i] = blocks[i].crc32c;
    packets.Data()[i] = blocks[i].packets;
    describes.Data()[i] = blocks[i].describes ? 1 : 0;
  }
  Napi::Object sums = Napi::Object::New(env);
  sums.Set("bounds", bounds);
  sums.Set("crcs", crcs);
  sums.Set("packets", packets);
  sums.Set("describes", describes);
  sums.Set("stateBehindFirst", copyToJs(env, answer.state_behind_first));
  return sums;
}

Napi::Value firstToJs(Napi::Env env, const ProbeAnswer& answer) {
  Napi::Object first = Napi::Object::New(env);
  first.Set("end", static_cast<double>(answer.first->end()));
  first.Set("crc", answer.first->crc32c);
  first.Set("packets", answer.first->packets);
  first.Set("stateBehind", copyToJs(env, answer.state_behind_first));
  return first;
}

Napi::Value floorsToJs(Napi::Env env, const ProbeAnswer& answer) {
  auto floors = Napi::BigInt64Array::New(env, answer.floors.size());
  std::copy(answer.floors.begin(), answer.floors.end(), floors.Data());
  return floors;
}

// A state's number that nothing uses stands for no bytes.
Napi::Object runsToJs(Napi::Env env, const ProbeAnswer& answer, const SidecarReader& sidecar) {
  Napi::Object object = Napi::Object::New(env);
  const size_t count = answer.runs.size();
  auto ranges = Napi::Float64Array::New(env, 2 * count);
  auto states = Napi::Uint32Array::New(env, count);
  uint32_t most = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const BlockRun& run = answer.runs[i];
    ranges.Data()[2 * i] = static_cast<double>(run.offset);
    ranges.Data()[2 * i + 1] = static_cast<double>(run.offset + run.length);
    states.Data()[i] = run.state;
    most = std::max(most, run.state + 1);
    bytes += run.length;
  }
  object.Set("ranges", ranges);
  object.Set("stateOf", states);
  Napi::Array list = Napi::Array::New(env, most);
  for (uint32_t id = 0; id < most; ++id) list.Set(id, copyToJs(env, sidecar.state(id)));
  object.Set("states", list);
  object.Set("bytes", static_cast<double>(bytes));
  return object;
}

Napi::Value probeIndex(const Napi::CallbackInfo& info) {
  const int fd = fdArgument(info[0], "fd");
  IndexQuery query{needsArgument(info[2]), spansArgument(info[3])};
  ProbeWishes wishes;
  if (info[4].IsObject()) {
    const auto asked = info[4].As<Napi::Object>();
    wishes = {asked.Get("sums").ToBoolean(), asked.Get("floors").ToBoolean(), asked.Get("first").ToBoolean()};
    if (asked.Has("descriptions")) query.descriptions = asked.Get("descriptions").ToBoolean();
  }
  const uint64_t segment_id = bigUintArgument(info[1], "segmentId");
  std::string why;
  const auto sidecar = SidecarReader::open(fd, &why);
  if (!sidecar) return Napi::String::New(info.Env(), why);
  if (sidecar->segmentId() != segment_id) return Napi::String::New(info.Env(), "it is the index of another file");
  ProbeAnswer answer;
  if (!probe(*sidecar, query, wishes, &answer, &why)) return Napi::String::New(info.Env(), why);
  Napi::Object object = runsToJs(info.Env(), answer, *sidecar);
  if (wishes.blocks) object.Set("sums", sumsToJs(info.Env(), answer));
  if (wishes.first && answer.first) object.Set("first", firstToJs(info.Env(), answer));
  if (wishes.floors) object.Set("floors", floorsToJs(info.Env(), answer));
  const auto number = [&](const char* name, uint64_t value) { object.Set(name, static_cast<double>(value)); };
  number("skippedPackets", answer.skipped.packets);
  number("skippedInWindows", answer.skipped.in_windows);
  number("skippedUntimed", answer.skipped.untimed);
  number("skippedCapturedBytes", answer.skipped.captured_bytes);
  number("blocks", answer.totals.blocks);
  number("packets", answer.totals.packets);
  number("end", answer.totals.end);
  const bool timed = answer.totals.timed();
  object.Set("minTime", timed ? Napi::BigInt::New(info.Env(), answer.totals.min_time) : info.Env().Null());
  object.Set("maxTime", timed ? Napi::BigInt::New(info.Env(), answer.totals.max_time) : info.Env().Null());
  return object;
}

const char* nameOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::ether_type:
      return "ether_type";
    case KeyKind::vlan:
      return "vlan";
    case KeyKind::ip_protocol:
      return "ip_protocol";
    case KeyKind::ip4:
      return "ip4";
    case KeyKind::ip6:
      return "ip6";
    case KeyKind::port:
      return "port";
    case KeyKind::mac:
      return "mac";
  }
  return "";
}

Napi::Value filterNeeds(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Needs needs = needsOf(bytesArgument(info[0], "code"), uint32Argument(info[1], "linkType"));
  if (needs.never) return env.Null();
  Napi::Array clauses = Napi::Array::New(env, needs.clauses.size());
  for (uint32_t i = 0; i < needs.clauses.size(); ++i) {
    const NeedClause& clause = needs.clauses[i];
    Napi::Array alternatives = Napi::Array::New(env, clause.size());
    for (uint32_t n = 0; n < clause.size(); ++n) {
      Napi::Object need = Napi::Object::New(env);
      need.Set("kind", nameOf(clause[n].kind));
      need.Set("low", Napi::BigInt::New(env, clause[n].low));
      need.Set("high", Napi::BigInt::New(env, clause[n].high));
      alternatives.Set(n, need);
    }
    clauses.Set(i, alternatives);
  }
  return clauses;
}

class IndexFileObject : public Napi::ObjectWrap<IndexFileObject> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("IndexFile", DefineClass(env, "IndexFile",
                                         {
                                             InstanceMethod<&IndexFileObject::step>("step"),
                                             InstanceMethod<&IndexFileObject::seal>("seal"),
                                             InstanceMethod<&IndexFileObject::offset>("offset"),
                                             InstanceMethod<&IndexFileObject::errorCode>("errno"),
                                         }));
  }

  explicit IndexFileObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<IndexFileObject>(info) {
    const int fd = fdArgument(info[0], "fd");
    const uint64_t size = wholeArgument(info[1], "sizeBytes");
    if (!info[2].IsString()) throw Napi::TypeError::New(info.Env(), "path must be a string");
    int error = 0;
    file_ = IndexFile::create(fd, size, info[2].As<Napi::String>().Utf8Value(), bigUintArgument(info[3], "segmentId"),
                              &error);
    if (file_) return;
    Napi::Error failure = Napi::Error::New(info.Env(), "the index can't be created");
    failure.Set("errno", Napi::Number::New(info.Env(), error));
    throw failure;
  }

 private:
  Napi::Value step(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<uint32_t>(file_->step(wholeArgument(info[0], "budgetBytes"))));
  }
  Napi::Value seal(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), -file_->seal()); }
  Napi::Value offset(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(file_->offset()));
  }
  Napi::Value errorCode(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), file_->error()); }

  std::unique_ptr<IndexFile> file_;
};

}  // namespace

void initIndex(Napi::Env env, Napi::Object exports) {
  IndexFileObject::init(env, exports);
  exports.Set("filterNeeds", Napi::Function::New<filterNeeds>(env, "filterNeeds"));
  exports.Set("probeIndex", Napi::Function::New<probeIndex>(env, "probeIndex"));
}

}  // namespace spillway
