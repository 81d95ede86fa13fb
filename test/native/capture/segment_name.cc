// Names in an interface's folder.
#include "capture/segment_name.h"

#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

TEST("names are read as they are made") {
  FolderEntry entry;
  CHECK(parseName(sealedName(7), &entry));
  CHECK_EQ(entry.id, 7u);
  CHECK(entry.kind == EntryKind::sealed);
  CHECK(parseName(partName(9'999'999'999'999'999), &entry));
  CHECK_EQ(entry.id, 9'999'999'999'999'999u);
  CHECK(entry.kind == EntryKind::part);
  CHECK(parseName("0000000000000003.index", &entry) && entry.kind == EntryKind::index);
  for (const char* ending : {".index.part", ".index.tmp", ".index.tmp.part", ".pcapng.tmp"})
    CHECK(parseName("0000000000000003" + std::string(ending), &entry) && entry.kind == EntryKind::leftover);
  CHECK(parseName("0000000000000003.pin-clip7", &entry) && entry.kind == EntryKind::pin);
}

TEST("what belongs to no segment") {
  FolderEntry entry;
  for (const char* name :
       {"", ".", "marks", "losses", "000000000000003.pcapng", "00000000000000003.pcapng", "0000000000000003",
        "0000000000000003.pcap", "000000000000000x.pcapng", "0000000000000003.pcapng.parts", "-000000000000003.pcapng"})
    CHECK(!parseName(name, &entry));
}

TEST("folders are listed in order") {
  const TemporaryFolder folder;
  for (const char* name : {"0000000000000012.pcapng", "0000000000000002.pcapng", "0000000000000002.index", "marks",
                           "0000000000000013.pcapng.part"})
    folder.write(name, {1});
  std::vector<FolderEntry> entries;
  CHECK_EQ(listFolder(folder.path(), &entries), 0);
  CHECK_EQ(entries.size(), 4u);
  CHECK_EQ(entries[0].name, std::string("0000000000000002.index"));
  CHECK_EQ(entries[3].id, 13u);
  CHECK_EQ(listFolder(folder / "none", &entries), -ENOENT);

  for (const char* name : {"10-b", "2-a", "0-eth0", "x-1", "-1", "lock", "3-"})
    CHECK_EQ(makeFolder(folder / name, 0755), 0);
  std::vector<std::string> names;
  CHECK_EQ(listInterfaceFolders(folder.path(), &names), 0);
  CHECK(names == (std::vector<std::string>{"0-eth0", "2-a", "10-b"}));
  CHECK_EQ(interfaceFolderName(10, "b"), std::string("10-b"));
}

}  // namespace spillway::test
