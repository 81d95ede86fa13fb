// The report of a scan or a merge: the array that a step brings up to date.
#pragma once
#include <napi.h>

#include "scan/counts.h"

namespace spillway {

using Report = Napi::Reference<Napi::BigInt64Array>;

Report makeReport(Napi::Env env);
// The places are those of ReportIndex in src/native-contract.ts.
void publish(const Counts& counts, const Report& report);

}  // namespace spillway
