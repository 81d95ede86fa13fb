// Filters, the programs that libpcap 1.10.3 makes of them, and what those need.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace spillway::test {

struct NeedsCase {
  uint32_t link_type;
  std::string expression;
  std::string needs;    // as textOf (filter/needs_text.h) has it
  std::string program;  // as `tcpdump -y LINKTYPE -ddd EXPRESSION` prints it, lines parted by commas
};

const std::vector<NeedsCase>& needsCases();

}  // namespace spillway::test
