#include "filter/needs_lines.h"

#include "filter/needs.h"

namespace spillway::test {

using namespace cbpf;

std::string needsText(const Code& code, uint32_t link_type) {
  const Exact bytes(encoded(code));
  return textOf(needsOf(bytes.bytes(), link_type));
}

Code line(const std::vector<Step>& steps) {
  const size_t accept = steps.size();
  Code code;
  for (size_t i = 0; i < steps.size(); ++i) {
    Insn insn{steps[i].code, 0, 0, steps[i].k};
    if ((insn.code & 7) == 5) {
      size_t passed = i + 1;
      while (passed < accept && steps[passed - 1].then == kOr) ++passed;
      const auto far = static_cast<uint8_t>(accept - i);
      insn.jt = static_cast<uint8_t>(steps[i].then == kNot ? far : passed - i - 1);
      insn.jf = steps[i].then == kAnd ? far : 0;
    }
    code.push_back(insn);
  }
  code.push_back({kRetK, 0, 0, 1});
  code.push_back({kRetK, 0, 0, 0});
  return code;
}

}  // namespace spillway::test
