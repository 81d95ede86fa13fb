// Marks as another boot of the machine left them.
#pragma once
#include "capture/marks.h"
#include "check.h"

namespace spillway::test {

inline void pretendOtherBoot(const std::string& folder) {
  auto marks = capture::readMarks(folder);
  CHECK(marks.has_value());
  marks->boot_id[0] ^= 1;
  capture::MarksPage page;
  CHECK_EQ(page.open(folder), 0);
  page.publish(*marks);
}

}  // namespace spillway::test
