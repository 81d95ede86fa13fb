// What a step answers. The numbers are those of ScanStatus in src/native-contract.ts.
#pragma once
#include <cstdint>

namespace spillway {

enum class Status : uint32_t {
  budget = 0,
  done = 1,
  output_full = 2,
  limit = 3,
  need_program = 4,
  damage = 5,
  mixed_link_types = 6,
  time_range = 7,
  io_error = 8,
  need_input = 9,
  no_boundary = 10,
  alone = 11,  // of a merge only
  bad_block = 12,
  need_next = 13,  // of a merge only
};

// Which stop rule ended a scan.
enum class Rule : uint8_t { none = 0, packets = 1, captured_bytes = 2, duration = 3 };

}  // namespace spillway
