// Runs the tests named by the arguments (a part of "file: name"), or all; of these, with `--shard I/N`, the Ith of each
// N. The last line is `N passed, N failed`.
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

// Of every `count` tests one, beginning with the `first`.
struct Shard {
  unsigned first = 0;
  unsigned count = 1;
};

// Takes `--shard I/N` out of the words, I from 1 to N. False where it can't be read.
bool takeShard(std::vector<std::string>* words, Shard* shard) {
  for (size_t i = 0; i < words->size(); ++i) {
    if ((*words)[i] != "--shard") continue;
    unsigned one = 0;
    if (i + 1 == words->size() || std::sscanf((*words)[i + 1].c_str(), "%u/%u", &one, &shard->count) != 2) return false;
    if (one == 0 || one > shard->count) return false;
    shard->first = one - 1;
    words->erase(words->begin() + static_cast<std::ptrdiff_t>(i), words->begin() + static_cast<std::ptrdiff_t>(i) + 2);
    return true;
  }
  return true;
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

int runTests(std::vector<std::string> words) {
  int passed = 0;
  int failed = 0;
  unsigned met = 0;
  Shard shard;
  if (!takeShard(&words, &shard)) {
    std::printf("--shard takes I/N\n0 passed, 1 failed\n");
    return 1;
  }
  for (const Test& test : tests()) {
    if (!wanted(test.name, words) || met++ % shard.count != shard.first) continue;
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
