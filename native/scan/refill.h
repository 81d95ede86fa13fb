// Reads on, for whoever walks an input.
#pragma once
#include "scan/counts.h"
#include "scan/input.h"
#include "scan/source_reader.h"
#include "scan/status.h"

namespace spillway {

// `budget`: there are more bytes. `done`: there are none. Any other status is told with counts->detail. `reader`: of
// the input, at its position.
inline Status refill(Input* input, const SourceReader& reader, Counts* counts) {
  switch (input->more()) {
    case Input::More::more:
      return Status::budget;
    case Input::More::end:
      return Status::done;
    case Input::More::need_feed:
      return Status::need_input;
    case Input::More::error:
      counts->detail = input->error();
      counts->detail_offset = input->offset();
      return Status::io_error;
    case Input::More::bad_block:
      counts->detail = static_cast<int64_t>(input->badBlock().bytes());
      counts->detail_offset = input->badBlock().start;
      if (!input->sums()->canLeaveOut(input->badBlock(), reader.state())) input->lose();
      return Status::bad_block;
  }
  return Status::done;
}

}  // namespace spillway
