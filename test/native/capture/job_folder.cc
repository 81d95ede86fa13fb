// A job's folder: one capture at a time, of a version that is known.
#include "capture/job_folder.h"

#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

TEST("the lock is one capture's, as long as it lives") {
  const TemporaryFolder folder;
  Fd lock;
  CHECK(!lockJobFolder(folder.path(), &lock));
  CHECK_EQ(folder.read("format"),
           (Buffer{'s', 'p', 'i', 'l', 'l', 'w', 'a', 'y', '-', 'c', 'a', 'p', 't', 'u', 'r', 'e', ' ', '1', '\n'}));
  Fd other;
  const Failed failure = lockJobFolder(folder.path(), &other);
  CHECK(failure && failure->code == Code::folder_locked);
  CHECK(failure->sentence.find("process " + std::to_string(::getpid())) != std::string::npos);
  other.reset();
  lock.reset();
  CHECK(!lockJobFolder(folder.path(), &other));
}

TEST("folders of other versions, and of something else") {
  for (const auto& [text, code] :
       std::vector<std::pair<std::string, Code>>{{"spillway-capture 2\n", Code::folder_newer},
                                                 {"spillway-capture 0\n", Code::folder_unusable},
                                                 {"hello\n", Code::folder_unusable},
                                                 {"", Code::folder_unusable}}) {
    const TemporaryFolder folder;
    folder.write("format", {text.begin(), text.end()});
    Fd lock;
    const Failed failure = lockJobFolder(folder.path(), &lock);
    CHECK(failure && failure->code == code);
  }
}

TEST("folders that can't be made") {
  const TemporaryFolder folder;
  std::string path;
  CHECK(!makeJobFolder(folder / "new", &path));
  CHECK_EQ(path, std::filesystem::canonical(folder / "new").string());
  CHECK(!makeJobFolder(folder / "new", &path));
  CHECK(makeJobFolder(folder / "no/parent", &path)->code == Code::folder_unusable);
  folder.write("file", {1});
  CHECK(makeJobFolder(folder / "file", &path)->code == Code::folder_unusable);
}

}  // namespace spillway::test
