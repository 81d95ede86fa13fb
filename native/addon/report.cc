#include "addon/report.h"

#include <algorithm>

namespace spillway {
namespace {

constexpr size_t kFields = 31;

}  // namespace

Report makeReport(Napi::Env env) { return Napi::Persistent(Napi::BigInt64Array::New(env, kFields)); }

void publish(const Counts& c, const Report& report) {
  const int64_t fields[kFields] = {static_cast<int64_t>(c.start),
                                   static_cast<int64_t>(c.end),
                                   static_cast<int64_t>(c.out_bytes),
                                   static_cast<int64_t>(c.packets_read),
                                   static_cast<int64_t>(c.packets_in_windows),
                                   static_cast<int64_t>(c.packets_out),
                                   static_cast<int64_t>(c.captured_bytes_out),
                                   c.min_time,
                                   c.max_time,
                                   c.first_time,
                                   c.last_time,
                                   c.out_min_time,
                                   c.out_max_time,
                                   c.out_first_time,
                                   static_cast<int64_t>(c.crc32c),
                                   static_cast<int64_t>(c.blocks_skipped),
                                   static_cast<int64_t>(c.times_clamped),
                                   static_cast<int64_t>(c.packets_without_time),
                                   c.link_type_out,
                                   c.detail,
                                   static_cast<int64_t>(c.detail_offset),
                                   static_cast<int64_t>(c.packets_cut),
                                   static_cast<int64_t>(c.captured_bytes_read),
                                   static_cast<int64_t>(c.wire_bytes_read),
                                   static_cast<int64_t>(c.dropped_packets),
                                   static_cast<int64_t>(c.snap_length_out),
                                   static_cast<int64_t>(c.interface_count),
                                   static_cast<int64_t>(c.section_base),
                                   static_cast<int64_t>(c.packets_sent),
                                   static_cast<int64_t>(c.captured_bytes_cut),
                                   static_cast<int64_t>(c.numbered)};
  std::copy(std::begin(fields), std::end(fields), report.Value().Data());
}

}  // namespace spillway
