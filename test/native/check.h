// The test harness: TEST(name) { CHECK(...); CHECK_EQ(got, want); }. A failed check is printed and counted, and the
// test goes on.
#pragma once
#include <concepts>
#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "buffer.h"

namespace spillway::test {

// Registers a test; use TEST.
struct Registration {
  Registration(const char* file, const char* name, void (*run)());
};

// Says what the checks of this scope are about, in a failure's text: CONTEXT("cut at " << cut).
class Context {
 public:
  explicit Context(std::function<std::string()> text);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

void fail(const char* file, int line, const std::string& what);

// Runs the tests whose "file: name" contains one of `words` (all without words), or a shard of them. Returns the exit
// code.
int runTests(std::vector<std::string> words);

inline std::string shown(const Buffer& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = std::to_string(bytes.size()) + " bytes:";
  for (size_t i = 0; i < bytes.size() && i < 256; ++i) {
    if (i % 4 == 0) text += ' ';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}
template <class T>
std::string shown(const T& value) {
  std::ostringstream text;
  if constexpr (std::is_enum_v<T>) text << static_cast<int64_t>(value);
  else if constexpr (sizeof(T) == 1 && std::integral<T>) text << static_cast<int>(value);
  else text << value;
  return text.str();
}

template <class A, class B>
void checkEqual(const char* file, int line, const char* text, const A& got, const B& want) {
  bool equal;
  if constexpr (std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>)
    equal = std::cmp_equal(got, want);
  else equal = got == want;
  if (!equal) fail(file, line, std::string(text) + "\n    got:  " + shown(got) + "\n    want: " + shown(want));
}

#define SPILLWAY_JOIN2(a, b) a##b
#define SPILLWAY_JOIN(a, b) SPILLWAY_JOIN2(a, b)
#define TEST(name)                                                                                                    \
  static void SPILLWAY_JOIN(test_, __LINE__)();                                                                       \
  static const ::spillway::test::Registration SPILLWAY_JOIN(registration_, __LINE__)(__FILE__, name,                  \
                                                                                     SPILLWAY_JOIN(test_, __LINE__)); \
  static void SPILLWAY_JOIN(test_, __LINE__)()
#define CHECK(condition)                                                                   \
  do {                                                                                     \
    if (!(condition)) ::spillway::test::fail(__FILE__, __LINE__, "CHECK(" #condition ")"); \
  } while (0)
#define CHECK_EQ(got, want) ::spillway::test::checkEqual(__FILE__, __LINE__, "CHECK_EQ(" #got ", " #want ")", got, want)
#define CONTEXT(stream)                                                   \
  const ::spillway::test::Context SPILLWAY_JOIN(context_, __LINE__)([&] { \
    std::ostringstream text_;                                             \
    text_ << stream;                                                      \
    return text_.str();                                                   \
  })

}  // namespace spillway::test
