// The command line: what it takes and what it refuses.
#include "capture/options.h"

#include "check.h"

namespace spillway::test {

using namespace capture;

namespace {

Failed parse(std::vector<std::string> words, Options* options) { return parseOptions(words, options); }

Code refusal(std::vector<std::string> words) {
  Options options;
  words.insert(words.begin(), {"--folder", "x", "--interface", "lo"});
  const Failed failure = parse(words, &options);
  if (!failure) {
    fail(__FILE__, __LINE__, "it took " + words.back());
    return Code::system;
  }
  return failure->code;
}

}  // namespace

TEST("every flag") {
  Options options;
  CHECK(!parse({"--folder=/a=b",
                "--interface",
                "lo",
                "--interface=eth0",
                "--program",
                "p",
                "--snap",
                "96",
                "--segment-bytes",
                "1048576",
                "--retain-bytes",
                "0",
                "--retain-age-s",
                "60",
                "--fsync",
                "commit",
                "--ring-bytes",
                "8388608",
                "--queue-bytes",
                "16777216",
                "--hardware-timestamps",
                "--foreground",
                "--no-promiscuous",
                "--user",
                "65534:1000"},
               &options));
  CHECK_EQ(options.folder, std::string("/a=b"));
  CHECK(options.interfaces == (std::vector<std::string>{"lo", "eth0"}));
  CHECK_EQ(options.snap_bytes, 96u);
  CHECK_EQ(options.segmentBytes(), 1u << 20);
  CHECK_EQ(options.retain.age_s, 60);
  CHECK_EQ(options.segmentSeconds(), 1);
  CHECK(options.fsync == Fsync::commit);
  CHECK_EQ(options.ring_bytes, 8u << 20);
  CHECK_EQ(options.queue_bytes, 16u << 20);
  CHECK(options.hardware_timestamps && options.foreground && !options.promiscuous && !options.recover);
  CHECK_EQ(options.user->uid, 65534u);
  CHECK_EQ(options.user->gid, 1000u);
}

TEST("a segment is a small part of what is retained") {
  Options options;
  CHECK_EQ(options.segmentBytes(), 256u << 20);
  CHECK_EQ(options.segmentSeconds(), 3600);
  options.retain = {uint64_t{10} << 30, 86400};
  CHECK_EQ(options.segmentBytes(), 256u << 20);
  CHECK_EQ(options.segmentSeconds(), 2700);
  options.retain = {uint64_t{1} << 30, 10};
  CHECK_EQ(options.segmentBytes(), 32u << 20);
  CHECK_EQ(options.segmentSeconds(), 1);
  options.retain = {1, 0};
  CHECK_EQ(options.segmentBytes(), 1u << 20);
}

TEST("what is refused") {
  for (const char* word : {"--bogus", "x", "", "--snap", "--foreground=1"}) CHECK(refusal({word}) == Code::usage);
  for (const char* number : {"0", "-1", "262145", "", "1x", " 1", "99999999999999999999"})
    CHECK(refusal({"--snap", number}) == Code::usage);
  CHECK(refusal({"--segment-bytes", "1048575"}) == Code::usage);
  CHECK(refusal({"--ring-bytes", "1"}) == Code::usage);
  CHECK(refusal({"--retain-age-s", "-5"}) == Code::usage);
  CHECK(refusal({"--fsync", "often"}) == Code::usage);
  CHECK(refusal({"--interface", "lo"}) == Code::usage);  // twice
  for (const char* name : {"", ".", "..", "a/b", "a b", "../x"}) CHECK(refusal({"--interface", name}) == Code::usage);
  CHECK(refusal({"--interface", "a234567890123456"}) == Code::interface_not_found);
  for (const char* user : {"1", "root:root", "1:", ":1", "1:2:3", "-1:0", "4294967295:0"})
    CHECK(refusal({"--user", user}) == Code::usage);
  Options options;
  CHECK(parse({"--interface", "lo"}, &options)->code == Code::usage);
  Options none;
  CHECK(parse({"--folder", "x"}, &none)->code == Code::usage);
  Options both;
  CHECK(parse({"--folder", "x", "--recover", "--interface", "lo"}, &both)->code == Code::usage);
  Options help;
  CHECK(!parse({"--help"}, &help));
  Options recover;
  CHECK(!parse({"--recover", "--folder", "x"}, &recover));
}

TEST("codes and exit codes") {
  CHECK_EQ(exitOf(Code::usage), 1);
  CHECK_EQ(exitOf(Code::folder_locked), 2);
  CHECK_EQ(std::string(nameOf(Code::interface_not_found)), std::string("INTERFACE_NOT_FOUND"));
}

}  // namespace spillway::test
