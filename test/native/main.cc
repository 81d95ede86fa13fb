// Runs the tests named by the arguments (a part of "file: name"), or all. The last line is `N passed, N failed`.
#include <cstdio>
#include <cstring>
#include <utility>

#include "check.h"

namespace spillway::test {
namespace {

struct Test {
  std::string name;
  void (*run)();
};

// A failure in a loop would hide the others of the same test.
constexpr int kPrintedMax = 10;

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
std::vector<std::function<std::string()>> contexts;
int failures = 0;

std::string shortName(const char* file) {
  const char* found = std::strstr(file, "test/native/");
  return found ? found + std::strlen("test/native/") : file;
}

bool wanted(const std::string& name, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (name.find(word) != std::string::npos) return true;
  return words.empty();
}

}  // namespace

Registration::Registration(const char* file, const char* name, void (*run)()) {
  tests().push_back({shortName(file) + ": " + name, run});
}

Context::Context(std::function<std::string()> text) { contexts.push_back(std::move(text)); }
Context::~Context() { contexts.pop_back(); }

void fail(const char* file, int line, const std::string& what) {
  if (++failures > kPrintedMax) return;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
  for (const auto& context : contexts) std::printf("    with: %s\n", context().c_str());
}

int runTests(const std::vector<std::string>& words) {
  int passed = 0;
  int failed = 0;
  for (const Test& test : tests()) {
    if (!wanted(test.name, words)) continue;
    failures = 0;
    test.run();
    if (failures == 0) {
      ++passed;
      continue;
    }
    ++failed;
    if (failures > kPrintedMax) std::printf("    and %d more failures\n", failures - kPrintedMax);
    std::printf("FAILED %s\n", test.name.c_str());
  }
  // A name that is in no test is a mistake of the caller's.
  if (passed + failed == 0) std::printf("no test has such a name\n");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed != 0 ? 0 : 1;
}

}  // namespace spillway::test

int main(int count, char** arguments) {
  // Seen at once, also when a sanitizer ends the program.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return spillway::test::runTests({arguments + 1, arguments + count});
}
