// Needs and programs as text, for tables of them.
#pragma once
#include <string>

#include "buffer.h"
#include "filter/program_cases.h"
#include "index/need.h"

namespace spillway::test {

// Clauses parted by "; ", alternatives by " | ": "ip4 10.0.0.1 | ip4 10.0.0.2; protocol 6". Needs of a program that
// accepts nothing are "never". IPv6 addresses are those of index/packets.h, by their keys.
std::string textOf(const Needs& needs);

// A program as `tcpdump -ddd` prints it, its lines parted by commas: the number of instructions, then each one's code,
// jt, jf and k, all decimal.
Code parsedProgram(const std::string& text);

}  // namespace spillway::test
