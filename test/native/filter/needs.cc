// What libpcap's programs need, by a table; and what is bounded.
#include "filter/needs.h"

#include <chrono>

#include "check.h"
#include "filter/needs_cases.h"
#include "filter/needs_lines.h"

namespace spillway::test {

using namespace cbpf;

TEST("what filters need") {
  for (const NeedsCase& one : needsCases()) {
    CONTEXT(one.expression << ", link type " << one.link_type);
    const Code code = parsedProgram(one.program);
    CHECK(!code.empty());
    CHECK_EQ(needsText(code, one.link_type), one.needs);
  }
}

TEST("a return of A may accept") {
  CHECK_EQ(needsText({{kLdHAbs, 0, 0, 12}, {kJeqK, 0, 1, 0x800}, {kRetA, 0, 0, 0}, {kRetK, 0, 0, 0}}), "type 0x800");
  CHECK_EQ(needsText({{kRetA, 0, 0, 0}}), "never");
  CHECK_EQ(needsText({{kLdLen, 0, 0, 0}, {kRetA, 0, 0, 0}}), "");
}

TEST("programs of which nothing is said") {
  const Code host = line({kType, kIp4, {kLdWAbs, 26}, kAddress});
  CHECK_EQ(needsText(host), "ip4 10.0.0.1; type 0x800");
  // Its link type has no keys, and none that programs could never meet.
  CHECK_EQ(needsText(host, 147), "");
  Code backwards = host;
  backwards.insert(backwards.end() - 1, {kJa, 0, 0, 0xfffffffe});
  CHECK_EQ(needsText(backwards), "");
  Code refused = host;
  refused.pop_back();
  refused.pop_back();
  CHECK_EQ(needsText(refused), "");
  CHECK_EQ(needsText({}), "");
}

TEST("as many alternatives as a clause may have") {
  for (const uint32_t hosts : {1u, 2u, 63u, 64u, 65u, 200u}) {
    CONTEXT(hosts << " hosts");
    std::vector<Step> steps = {kType, kIp4, {kLdWAbs, 26}};
    for (uint32_t host = 0; host < hosts; ++host) steps.push_back({kJeqK, 0x0a000001 + host * 2, kOr});
    steps.back().then = kAnd;
    const Exact bytes(encoded(line(steps)));
    const Needs needs = needsOf(bytes.bytes(), 1);
    CHECK_EQ(needs.clauses.size(), hosts <= kMaxAlternatives ? 2u : 1u);
    if (!needs.clauses.empty()) CHECK_EQ(needs.clauses.front().size(), hosts <= kMaxAlternatives ? hosts : 1u);
  }
}

TEST("many ways through a program") {
  // Each term is three ways to come in and three more, all of which meet behind it: 6^12 ways for twelve terms.
  std::vector<Step> steps = {kType, kIp4};
  for (uint32_t term = 0; term < 12; ++term) {
    for (const uint32_t at : {26u, 30u}) {
      steps.push_back({kLdWAbs, at, kOr});
      for (uint32_t value = 0; value < 3; ++value) steps.push_back({kJeqK, (term % 3 << 8) + value, kOr});
    }
    steps.back().then = kAnd;
  }
  CHECK_EQ(needsText(line(steps)),
           "ip4 0.0.0.0 | ip4 0.0.0.1 | ip4 0.0.0.2; ip4 0.0.1.0 | ip4 0.0.1.1 | ip4 0.0.1.2; "
           "ip4 0.0.2.0 | ip4 0.0.2.1 | ip4 0.0.2.2; type 0x800");
}

TEST("the longest programs take a bounded time") {
  // Every instruction but the last two comes together with others, and every comparison is of a key.
  Code code = {{kLdHAbs, 0, 0, 12}, {kJeqK, 0, 0, 0x800}};
  for (uint32_t i = 0; code.size() < 65532; ++i) {
    code.push_back({kLdWAbs, 0, 0, i % 2 == 0 ? 26u : 30u});
    code.push_back({kJeqK, static_cast<uint8_t>(i % 7 * 2), static_cast<uint8_t>(i % 13), i * 77});
  }
  for (int i = 0; i < 20; ++i) code.push_back({kRetK, 0, 0, 1});
  const auto start = std::chrono::steady_clock::now();
  const Exact bytes(encoded(code));
  needsOf(bytes.bytes(), 1);
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took < std::chrono::seconds(10));
}

}  // namespace spillway::test
