// By hand, each guard without which nothing may be needed: a row of tests that needs something, and the same with a
// guard less.
#include <functional>

#include "check.h"
#include "filter/needs_lines.h"

namespace spillway::test {
namespace {

using namespace cbpf;

struct LineCase {
  const char* name;
  std::vector<Step> steps;
  std::string want;
};

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
    {"shifted and masked",
     {kType, kIp4, {kLdWAbs, 26}, {kRshK, 16}, {kAndK, 0xff00}, {kJeqK, 0x0a00}},
     "ip4 10.0.0.0-10.255.255.255; type 0x800"},
    {"a bit of what was shifted",
     {kType, kIp4, {kLdWAbs, 26}, {kRshK, 24}, {kJsetK, 0x80}},
     "ip4 128.0.0.0-255.255.255.255; type 0x800"},
    {"some bits of the EtherType", {kType, {kAndK, 0xff00}, kIp4, {kLdWAbs, 26}, kAddress}, ""},
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
    {"a header and then A",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 14}, {kTax, 0}, {kLdHInd, 14}, {kJeqK, 80}},
     "protocol 6; type 0x800"},
    {"a header and then scratch memory",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 14}, {kLdxMem, 0}, {kLdHInd, 14}, {kJeqK, 80}},
     "protocol 6; type 0x800"},
    {"a header and then the length",
     {kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}, {kLdxMsh, 14}, {kLdxLen, 0}, {kLdHInd, 14}, {kJeqK, 80}},
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
    {"a range of priorities and ids",
     {kType, kTag, {kLdHAbs, 14}, {kJgeK, 0x0001}, {kJgtK, 0x1002, kNot}},
     "type 0x8100"},
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
    {"some bits of it", {{kLdWAbs, 8}, {kAndK, 0xffffff00}, {kJeqK, 0x22334400}, {kLdHAbs, 6}, {kJeqK, 0x11}}, ""},
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

TEST("more ways than are kept apart") {
  // Ways come together that differ in X, then in A, all with a key to compare but the last one: where that is the
  // tenth, it is not kept apart from another, and spoils the need all the same.
  const Step address = {kLdWAbs, 26};
  const Step header = {kLdxMsh, 14};
  for (const uint32_t ways : {2u, 9u, 10u, 20u}) {
    for (const bool spoilt : {false, true}) {
      CONTEXT(ways << " ways, " << (spoilt ? "one spoilt" : "none spoilt"));
      // Each way but the last is left by the packet's length.
      const auto together = [&](const std::function<std::pair<Step, Step>(bool last, uint32_t i)>& way,
                                const std::vector<Step>& after) {
        Code code = line({kType, kIp4, {kLdBAbs, 23}, {kJeqK, 6}});
        code.resize(4);
        for (uint32_t i = 0; i < ways; ++i) {
          const auto [first, second] = way(i + 1 == ways, i);
          const uint32_t left = (ways - 1 - i) * 5;
          code.push_back({kLdLen, 0, 0, 0});
          code.push_back({kJeqK, 0, static_cast<uint8_t>(i + 1 == ways ? 0 : 3), i});
          code.push_back({first.code, 0, 0, first.k});
          code.push_back({second.code, 0, 0, second.k});
          code.push_back({kJa, 0, 0, left});
        }
        const Code rest = line(after);
        code.insert(code.end(), rest.begin(), rest.end());
        // What fails the first tests goes to the last return, as what fails the others.
        for (const size_t i : {1u, 3u}) code[i].jf = static_cast<uint8_t>(code.size() - i - 2);
        return code;
      };
      const Code by_a = together(
          [&](bool last, uint32_t i) {
            return std::pair{Step{kLdxImm, i}, last && spoilt ? Step{kLdWAbs, 27} : address};
          },
          {kAddress});
      CHECK_EQ(needsText(by_a), spoilt ? "protocol 6; type 0x800" : "ip4 10.0.0.1; protocol 6; type 0x800");
      const Code by_x = together(
          [&](bool last, uint32_t i) {
            return std::pair{Step{kLdImm, i}, last && spoilt ? Step{kLdxMsh, 15} : header};
          },
          {{kLdHInd, 14}, {kJeqK, 80}});
      CHECK_EQ(needsText(by_x), spoilt ? "protocol 6; type 0x800" : "port 80; protocol 6; type 0x800");
    }
  }
}

}  // namespace spillway::test
