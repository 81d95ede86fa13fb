// What programs need: libpcap's by a table, and by hand each guard without which nothing may be needed.
#include "filter/needs.h"

#include <chrono>

#include "check.h"
#include "filter/needs_cases.h"
#include "filter/needs_text.h"

namespace spillway::test {
namespace {

using namespace cbpf;

std::string needsText(const Code& code, uint32_t link_type = 1) {
  const Exact bytes(encoded(code));
  return textOf(needsOf(bytes.bytes(), link_type));
}

// A straight line of tests: kOr goes to the next instruction where a test fails, kNot fails where it is true.
enum Then : uint8_t { kAnd, kOr, kNot };
struct Step {
  uint16_t code;
  uint32_t k;
  Then then = kAnd;
};

// Accepts what passes all tests. A test with kOr is one alternative of those up to the next test without it.
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

struct LineCase {
  const char* name;
  std::vector<Step> steps;
  std::string want;
};

const Step kType = {kLdHAbs, 12};
const Step kIp4 = {kJeqK, 0x800};
const Step kIp6 = {kJeqK, 0x86dd};
const Step kTag = {kJeqK, 0x8100};
const Step kAddress = {kJeqK, 0x0a000001};

const std::vector<LineCase> kLines = {
    {"an address", {kType, kIp4, {kLdWAbs, 26}, kAddress}, "ip4 10.0.0.1; type 0x800"},
    {"the EtherType afterwards", {{kLdWAbs, 26}, kAddress, kType, kIp4}, "ip4 10.0.0.1; type 0x800"},
    {"no EtherType", {{kLdWAbs, 26}, kAddress}, ""},
    {"IPv4 or ARP", {kType, {kJeqK, 0x800, kOr}, {kJeqK, 0x806}, {kLdWAbs, 26}, kAddress}, "type 0x800 | type 0x806"},
    {"ARP or RARP",
     {kType, {kJeqK, 0x8035, kOr}, {kJeqK, 0x806}, {kLdWAbs, 28}, kAddress},
     "ip4 10.0.0.1; type 0x806 | type 0x8035"},
    {"another place", {kType, kIp4, {kLdWAbs, 27}, kAddress}, "type 0x800"},
    {"excluded", {kType, kIp4, {kLdWAbs, 26}, {kJeqK, 0x0a000001, kNot}}, "type 0x800"},
    // The packet may end behind what was loaded, and hold no address.
    {"half an address", {kType, kIp4, {kLdHAbs, 26}, {kJeqK, 0x0a04}}, "type 0x800"},
    {"a shifted address",
     {kType, kIp4, {kLdWAbs, 26}, {kRshK, 24}, {kJeqK, 10}},
     "ip4 10.0.0.0-10.255.255.255; type 0x800"},
    {"shifted the other way", {kType, kIp4, {kLdWAbs, 26}, {kLshK, 8}, {kJeqK, 0x100}}, "type 0x800"},
    {"added to", {kType, kIp4, {kLdWAbs, 26}, {kAddK, 1}, kAddress}, "type 0x800"},
    {"from scratch memory", {kType, kIp4, {kLdWAbs, 26}, {kSt, 3}, {kLdMem, 3}, kAddress}, "type 0x800"},
    {"through a constant X", {kType, kIp4, {kLdxImm, 20}, {kLdWInd, 6}, kAddress}, "ip4 10.0.0.1; type 0x800"},
    {"compared with a constant X", {kType, kIp4, {kLdWAbs, 26}, {kLdxImm, 7}, {kJeqX, 0}}, "ip4 0.0.0.7; type 0x800"},
    {"compared with another field", {kType, kIp4, {kLdWAbs, 26}, {kLdxMsh, 14}, {kJeqX, 0}}, "type 0x800"},
    {"a bound of addresses",
     {kType, kIp4, {kLdWAbs, 26}, {kJgeK, 0x0a000000}, {kJgtK, 0x0a0000ff, kNot}},
     "ip4 10.0.0.0-10.0.0.255; type 0x800"},
    {"most addresses", {kType, kIp4, {kLdWAbs, 26}, {kJgeK, 0x70000000}}, "type 0x800"},
    {"a high bit", {kType, kIp4, {kLdWAbs, 26}, {kJsetK, 0x80000000}}, "ip4 128.0.0.0-255.255.255.255; type 0x800"},
    {"no high bit", {kType, kIp4, {kLdWAbs, 26}, {kJsetK, 0xff000000, kNot}}, "ip4 0.0.0.0-0.255.255.255; type 0x800"},

    {"a port",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 14}, {kLdHInd, 14}, {kJeqK, 80}},
     "port 80; protocol 6; type 0x800"},
    {"no protocol", {kType, kIp4, {kLdxMsh, 14}, {kLdHInd, 14}, {kJeqK, 80}}, "type 0x800"},
    {"a protocol without ports",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 1}, {kLdxMsh, 14}, {kLdHInd, 14}, {kJeqK, 80}},
     "protocol 1; type 0x800"},
    {"perhaps without ports",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6, kOr}, {kJeqK, 1}, {kLdxMsh, 14}, {kLdHInd, 14}, {kJeqK, 80}},
     "protocol 1 | protocol 6; type 0x800"},
    {"another header",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 15}, {kLdHInd, 14}, {kJeqK, 80}},
     "protocol 6; type 0x800"},
    {"another offset",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 14}, {kLdHInd, 18}, {kJeqK, 80}},
     "protocol 6; type 0x800"},
    {"a port behind a fixed length",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdHAbs, 34}, {kJeqK, 80}},
     "protocol 6; type 0x800"},
    {"IPv6's port in IPv4", {kType, kIp4, {kLdBAbs, 20}, {kJeqK, 6}, {kLdHAbs, 54}, {kJeqK, 80}}, "type 0x800"},
    {"IPv6's port",
     {kType, kIp6, {kLdBAbs, 20}, {kJeqK, 6}, {kLdHAbs, 54}, {kJeqK, 80}},
     "port 80; protocol 6; type 0x86dd"},
    {"behind a fragment header",
     {kType, kIp6, {kLdBAbs, 20}, {kJeqK, 44}, {kLdBAbs, 54}, {kJeqK, 58}},
     "protocol 44; protocol 58; type 0x86dd"},
    {"behind another header",
     {kType, kIp6, {kLdBAbs, 20}, {kJeqK, 43}, {kLdBAbs, 54}, {kJeqK, 58}},
     "protocol 43; type 0x86dd"},
    {"64 ports",
     {kType, kIp6, {kLdBAbs, 20}, {kJeqK, 6}, {kLdHAbs, 54}, {kJgeK, 100}, {kJgeK, 164, kNot}},
     "port 100-163; protocol 6; type 0x86dd"},
    {"65 ports",
     {kType, kIp6, {kLdBAbs, 20}, {kJeqK, 6}, {kLdHAbs, 54}, {kJgeK, 100}, {kJgeK, 165, kNot}},
     "protocol 6; type 0x86dd"},

    {"four words of an IPv6 address",
     {kType,
      kIp6,
      {kLdWAbs, 34},
      {kJeqK, 1},
      {kLdWAbs, 30},
      {kJeqK, 0},
      {kLdWAbs, 22},
      {kJeqK, 0},
      {kLdWAbs, 26},
      {kJeqK, 0}},
     "ip6 ::1"},
    {"three words",
     {kType, kIp6, {kLdWAbs, 34}, {kJeqK, 1}, {kLdWAbs, 30}, {kJeqK, 0}, {kLdWAbs, 22}, {kJeqK, 0}},
     "type 0x86dd"},
    {"words of two addresses",
     {kType,
      kIp6,
      {kLdWAbs, 38},
      {kJeqK, 0},
      {kLdWAbs, 26},
      {kJeqK, 0},
      {kLdWAbs, 30},
      {kJeqK, 0},
      {kLdWAbs, 34},
      {kJeqK, 1}},
     "type 0x86dd"},
    {"words with two values",
     {kType,
      kIp6,
      {kLdWAbs, 22},
      {kJeqK, 0x20010db8},
      {kLdWAbs, 26},
      {kJeqK, 0},
      {kLdWAbs, 30},
      {kJeqK, 0},
      {kLdWAbs, 34},
      {kJeqK, 1, kOr},
      {kJeqK, 2}},
     "ip6 2001:db8::2 | ip6 2001:db8::1"},

    {"a tag", {kType, kTag, {kLdHAbs, 14}, {kAndK, 0xfff}, {kJeqK, 5}}, "vlan 5; type 0x8100"},
    {"a tag with its priority", {kType, kTag, {kLdHAbs, 14}, {kJeqK, 0x2005}}, "vlan 5; type 0x8100"},
    {"no tag", {{kLdHAbs, 14}, {kAndK, 0xfff}, {kJeqK, 5}}, ""},
    {"no tag, another EtherType", {kType, kIp4, {kLdHAbs, 14}, {kAndK, 0xfff}, {kJeqK, 5}}, "type 0x800"},
    {"behind a tag",
     {kType, kTag, {kLdHAbs, 16}, kIp4, {kLdWAbs, 30}, kAddress},
     "ip4 10.0.0.1; type 0x8100; type 0x800"},
    {"perhaps behind a tag",
     {kType, {kJeqK, 0x8100, kOr}, {kJeqK, 0x88cc}, {kLdHAbs, 16}, kIp4, {kLdWAbs, 30}, kAddress},
     "type 0x8100 | type 0x88cc"},
    {"the place without a tag", {kType, kTag, {kLdHAbs, 16}, kIp4, {kLdWAbs, 26}, kAddress}, "type 0x8100; type 0x800"},
    {"the header without a tag",
     {kType, kTag, {kLdHAbs, 16}, kIp4, {kLdBAbs, 27}, {kJeqK, 6}, {kLdxMsh, 14}, {kLdHInd, 14}, {kJeqK, 80}},
     "type 0x8100; protocol 6; type 0x800"},
    {"the header behind a tag",
     {kType, kTag, {kLdHAbs, 16}, kIp4, {kLdBAbs, 27}, {kJeqK, 6}, {kLdxMsh, 18}, {kLdHInd, 18}, {kJeqK, 80}},
     "port 80; type 0x8100; protocol 6; type 0x800"},
    {"behind two tags",
     {kType, kTag, {kLdHAbs, 16}, kTag, {kLdHAbs, 20}, kIp4, {kLdWAbs, 34}, kAddress},
     "ip4 10.0.0.1; type 0x8100; type 0x800"},
    {"the first of two unknown", {{kLdHAbs, 16}, kTag, {kLdHAbs, 20}, kIp4, {kLdWAbs, 34}, kAddress}, ""},

    {"a MAC address", {{kLdWAbs, 8}, {kJeqK, 0x22334455}, {kLdHAbs, 6}, {kJeqK, 0x11}}, "mac 00:11:22:33:44:55"},
    {"two thirds of it", {{kLdWAbs, 8}, {kJeqK, 0x22334455}}, ""},
    {"parts of two", {{kLdWAbs, 8}, {kJeqK, 0x22334455}, {kLdHAbs, 0}, {kJeqK, 0x11}}, ""},

    {"a load beyond every packet", {kType, kIp4, {kLdxImm, 0xffffffff}, {kLdBInd, 1}, {kJeqK, 0}}, "never"},
    {"two EtherTypes at once", {kType, kIp4, kType, kIp6}, "never"},
    {"no such value", {kType, {kJeqK, 0x10000}}, "never"},
    {"larger than a shifted value can be", {{kLdWAbs, 26}, {kRshK, 31}, {kJgtK, 0xffffffff}}, "never"},
    {"bits that were cut off", {kType, kIp4, {kLdWAbs, 26}, {kAndK, 0xff00}, kAddress}, "never"},
    {"nothing left", {kType, kIp4, {kLdWAbs, 26}, {kAndK, 0}, {kJeqK, 1}}, "never"},
    {"a constant", {{kLdImm, 1}, {kJeqK, 2}}, "never"},
    {"A is 0 at first", {{kJeqK, 1}}, "never"},
};

}  // namespace

TEST("what filters need") {
  for (const NeedsCase& one : needsCases()) {
    CONTEXT(one.expression << ", link type " << one.link_type);
    const Code code = parsedProgram(one.program);
    CHECK(!code.empty());
    CHECK_EQ(needsText(code, one.link_type), one.needs);
  }
}

TEST("what straight programs need, and what a guard less takes away") {
  for (const LineCase& one : kLines) {
    CONTEXT(one.name);
    CHECK_EQ(needsText(line(one.steps)), one.want);
  }
}

TEST("A that holds one field or another") {
  // IPv4's source or ARP's sender, compared by one instruction.
  const Code code = {{kLdHAbs, 0, 0, 12},  {kJeqK, 0, 2, 0x800}, {kLdWAbs, 0, 0, 26},       {kJa, 0, 0, 2},
                     {kJeqK, 0, 3, 0x806}, {kLdWAbs, 0, 0, 28},  {kJeqK, 0, 1, 0x0a000001}, {kRetK, 0, 0, 262144},
                     {kRetK, 0, 0, 0}};
  CHECK_EQ(needsText(code), "ip4 10.0.0.1; type 0x800 | type 0x806");
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
