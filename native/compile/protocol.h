// The words spoken with the caller over standard input and output.
//
// Both ways a frame is a u32 length followed by that many bytes; all numbers are little-endian.
//   hello    (first frame in)  "SPWC", u32 protocol version, package version as text
//   request  (every next one)  u32 id, u8 kind, u8 flags, u16 link type, u32 snap length, filter text
//   answer   (one for each)    u32 id, u8 status, u8 flags, u16 zero, payload
// Answers come in the order of their requests. The link type is that of a capture file (LINKTYPE_), which libpcap
// turns into its own (DLT_). The answer to hello has id 0 and holds libpcap's version.
#pragma once
#include <cstddef>
#include <cstdint>

#include "limits.h"

namespace spillway::compile {

constexpr char kMagic[4] = {'S', 'P', 'W', 'C'};
constexpr uint32_t kProtocolVersion = 1;

constexpr uint8_t kKindCompile = 1;
constexpr uint8_t kFlagOptimise = 1;    // of a request
constexpr uint8_t kFlagRejectsAll = 1;  // of an answer: libpcap finds that no packet can match

constexpr size_t kRequestHeaderBytes = 12;
constexpr size_t kAnswerHeaderBytes = 8;
constexpr size_t kMaxFrameBytes = kRequestHeaderBytes + kMaxTextBytes;
static_assert(8 + kMaxVersionBytes <= kMaxFrameBytes);

enum class Status : uint8_t {
  kProgram = 0,          // payload: 8 bytes an instruction, u16 code, u8 jt, u8 jf, u32 k
  kRefused = 1,          // payload: libpcap's text
  kTooComplex = 2,       // payload: which limit, as a sentence
  kBadRequest = 3,       // payload: what is wrong with the frame
  kVersionMismatch = 4,  // payload: this executable's version
  kNoLibpcap = 5,        // payload: the loader's text
  kFailed = 6,           // payload: what the system refused
  kReady = 7,            // payload: libpcap's version; only in answer to hello
};

}  // namespace spillway::compile
