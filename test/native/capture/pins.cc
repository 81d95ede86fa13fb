// Until when pins hold.
#include "capture/pins.h"

#include <sys/stat.h>

#include "capture/folder.h"
#include "check.h"

namespace spillway::test {

using namespace capture;

TEST("a pin holds until its time") {
  const TemporaryFolder folder;
  const std::string pin = folder / "pin";
  folder.write("pin", text("1000\n"));
  CHECK(pinHolds(pin, 999));
  CHECK(!pinHolds(pin, 1000));
  CHECK(!pinHolds(pin, 5000));
  folder.write("pin", text("9223372036854775807\n"));
  CHECK(pinHolds(pin, 5000));
  folder.write("pin", text("0\n"));
  CHECK(pinHolds(pin, INT64_MAX));
  CHECK(!pinHolds(folder / "none", 0));
}

TEST("what is no time holds for ever") {
  const TemporaryFolder folder;
  for (const char* words : {"", "1000", "1000\n\n", "1000 \n", " 1000\n", "+1000\n", "-1000\n", "1e3\n", "x\n", "\n",
                            "9223372036854775808\n", "00000000000000000000000000000000001000\n"}) {
    folder.write("pin", text(words));
    CHECK(pinHolds(folder / "pin", 5000));
  }
  CHECK_EQ(makeFolder(folder / "folder", 0755), 0);
  CHECK(pinHolds(folder / "folder", 5000));
  folder.write("ended", text("1000\n"));
  CHECK_EQ(::symlink((folder / "ended").c_str(), (folder / "link").c_str()), 0);
  CHECK(pinHolds(folder / "link", 5000));
}

TEST("a segment is held by any of its pins, and by a folder that can't be read") {
  const TemporaryFolder folder;
  folder.write(stemName(7) + ".pin-00aa", text("1000\n"));
  folder.write(stemName(7) + ".pin-00bb", text("2000\n"));
  folder.write(stemName(8) + ".pin-00aa", text("1000\n"));
  folder.write(sealedName(9), text("x"));
  Pins pins(1500);
  CHECK(pins.hold(folder.path(), 7));
  CHECK(!pins.hold(folder.path(), 8));
  CHECK(!pins.hold(folder.path(), 9));
  CHECK(pins.hold(folder / "none", 7));
}

}  // namespace spillway::test
