#include "filter/needs_text.h"

#include <cstdio>
#include <sstream>

#include "index/keys.h"
#include "index/packets.h"

namespace spillway::test {

namespace {

template <class... Numbers>
std::string printed(const char* form, Numbers... numbers) {
  char text[64];
  std::snprintf(text, sizeof text, form, static_cast<unsigned>(numbers)...);
  return text;
}

std::string valueText(KeyKind kind, uint64_t v) {
  switch (kind) {
    case KeyKind::ether_type:
      return printed("0x%x", v);
    case KeyKind::ip4:
      return printed("%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
    case KeyKind::mac:
      return printed("%02x:%02x:%02x:%02x:%02x:%02x", v >> 40, v >> 32 & 255, v >> 24 & 255, v >> 16 & 255,
                     v >> 8 & 255, v & 255);
    case KeyKind::ip6:
      for (size_t i = 0; i < kIp6Pool.size(); ++i)
        if (ip6KeyValue(kIp6Pool[i].data()) == v) return kIp6Text[i];
      return "unknown";
    default:
      return std::to_string(v);
  }
}

std::string kindText(KeyKind kind) {
  switch (kind) {
    case KeyKind::ether_type:
      return "type";
    case KeyKind::vlan:
      return "vlan";
    case KeyKind::ip_protocol:
      return "protocol";
    case KeyKind::ip4:
      return "ip4";
    case KeyKind::ip6:
      return "ip6";
    case KeyKind::port:
      return "port";
    case KeyKind::mac:
      return "mac";
  }
  return "?";
}

}  // namespace

std::string textOf(const Needs& needs) {
  if (needs.never) return "never";
  std::string text;
  for (const NeedClause& clause : needs.clauses) {
    if (!text.empty()) text += "; ";
    for (const Need& need : clause) {
      if (&need != &clause.front()) text += " | ";
      text += kindText(need.kind) + ' ' + valueText(need.kind, need.low);
      if (need.high != need.low) text += '-' + valueText(need.kind, need.high);
    }
  }
  return text;
}

Code parsedProgram(const std::string& text) {
  std::istringstream in(text);
  size_t count = 0;
  in >> count;
  Code code(count);
  for (cbpf::Insn& insn : code) {
    char comma;
    unsigned jt, jf;
    in >> comma >> insn.code >> jt >> jf >> insn.k;
    insn.jt = static_cast<uint8_t>(jt);
    insn.jf = static_cast<uint8_t>(jf);
  }
  if (!in) return {};
  return code;
}

}  // namespace spillway::test
