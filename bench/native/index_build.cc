// What the block index costs and gives: builds the index of the beginning of a pcap file, seals it, and looks things
// up in it, and prints a line of JSON for each step.
//
//   index_build FILE [MIB [SIDECAR]]
//
// MIB: how much of the file is read into memory (256 by default). SIDECAR: where the index is written (and left); by
// default in a temporary file. Times are those of the processor, the least of five runs.
#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/file.h"
#include "format/pcap_reader.h"
#include "index/block_builder.h"
#include "index/byte_source.h"
#include "index/sealed_sidecar.h"
#include "index/sidecar_reader.h"
#include "index/sidecar_writer.h"

using namespace spillway;

namespace {

constexpr int kRuns = 5;
constexpr uint64_t kSegmentId = 1;

[[noreturn]] void die(const std::string& text) {
  std::fprintf(stderr, "index_build: %s\n", text.c_str());
  std::exit(1);
}

double processorSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double secondsOf(const std::function<void()>& run) {
  double least = 1e9;
  for (int n = 0; n < kRuns; ++n) {
    const double start = processorSeconds();
    run();
    least = std::min(least, processorSeconds() - start);
  }
  return least;
}

struct Capture {
  std::vector<uint8_t> bytes;  // whole records, the file header first
  PcapReader::Header header;
  uint64_t packets = 0;
};

// f(packet, offset of its end) for each.
template <class F>
void walk(const Capture& capture, F&& f) {
  PcapReader reader(capture.header);
  size_t at = pcap::kFileHeaderBytes;
  Packet packet;
  while (reader.next(capture.bytes.data() + at, capture.bytes.size() - at, &packet) == Next::packet) {
    // As in a scan: what is 4 KiB ahead is on its way while this packet is looked at.
    const uint8_t* ahead = packet.record.data + 4096;
    for (size_t n = 0; n < packet.record.size; n += 64) __builtin_prefetch(ahead + n);
    at += packet.record.size;
    f(packet, at);
  }
}

Capture load(const char* path, size_t bytes) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die(std::string(path) + " cannot be opened");
  Capture capture;
  capture.bytes.resize(bytes);
  const int64_t got = readAt(fd, capture.bytes.data(), bytes, 0);
  ::close(fd);
  if (got < 0) die("it cannot be read");
  capture.bytes.resize(static_cast<size_t>(got));
  std::string damage;
  if (!PcapReader::recognises({capture.bytes.data(), capture.bytes.size()}) ||
      PcapReader::readHeader({capture.bytes.data(), capture.bytes.size()}, &capture.header, &damage) != Next::section)
    die("it is no pcap file");
  size_t end = pcap::kFileHeaderBytes;
  walk(capture, [&](const Packet&, size_t at) { end = at, ++capture.packets; });
  capture.bytes.resize(end);
  return capture;
}

// Builds all blocks; `take` gets each.
template <class Take>
void build(const Capture& capture, BlockBuilder* builder, Take&& take, bool checksum) {
  builder->begin(0, 0);
  size_t start = 0;
  const auto close = [&](size_t end) {
    take(builder->close(end, checksum ? crc32c(capture.bytes.data() + start, end - start) : 0));
    start = end;
    builder->begin(end, 0);
  };
  size_t end = 0;
  walk(capture, [&](const Packet& packet, size_t at) {
    builder->add(packet, capture.header.link_type);
    if (builder->full(end = at)) close(at);
  });
  if (end > start) close(end);
}

void print(const char* what, double seconds, const Capture& capture) {
  std::printf("{\"step\":\"%s\",\"ns_per_packet\":%.1f,\"seconds\":%.4f}\n", what, seconds * 1e9 / capture.packets,
              seconds);
}

void ask(SidecarReader* reader, const char* what, const Needs& needs) {
  IndexQuery query;
  query.needs.push_back({1, needs});
  std::vector<BlockRun> runs;
  std::string why;
  const double seconds = secondsOf([&] {
    if (!reader->candidates(query, &runs, &why)) die(why);
  });
  uint64_t blocks = 0;
  for (const BlockRun& run : runs) blocks += run.blocks;
  std::printf("{\"step\":\"look up %s\",\"microseconds\":%.1f,\"blocks\":%llu,\"of\":%llu}\n", what, seconds * 1e6,
              static_cast<unsigned long long>(blocks), static_cast<unsigned long long>(reader->totals().blocks));
}

Need ip4(const char* text) {
  in_addr address{};
  ::inet_pton(AF_INET, text, &address);
  const uint64_t value = ntohl(address.s_addr);
  return {KeyKind::ip4, value, value};
}

void printSizes(const std::string& path, const Capture& capture) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ByteSource source;
  SealedSidecar sealed;
  std::string why;
  if (ByteSource::of(fd, &source) != 0 || !sealed.open(source, &why)) die("the sidecar: " + why);
  double entries = 0, rows = 0, filters = 0, lists = 0, values = 0;
  std::map<size_t, uint64_t> classes;
  for (const GroupRecord& group : sealed.groups()) {
    entries += static_cast<double>(group.rowKeysAt() - group.at);
    rows += static_cast<double>(group.filtersAt() - group.rowKeysAt());
    filters += static_cast<double>(group.listAt(Listed::ip4) - group.filtersAt());
    lists += static_cast<double>(group.end() - group.listAt(Listed::ip4));
    for (const auto& list : group.lists) values += list.none() ? 0 : list.values;
    for (const auto& c : group.classes) classes[bloom::bytesOf(c.filter_class)] += c.blocks;
  }
  const double data = static_cast<double>(capture.bytes.size()) / 100;
  const double all = static_cast<double>(source.size);
  std::printf(
      "{\"step\":\"size\",\"percent\":%.3f,\"filters\":%.3f,\"entries\":%.3f,\"rows\":%.3f,\"lists\":%.3f,"
      "\"trailer\":%.3f,\"values\":%.0f,\"blocks_by_filter_bytes\":{",
      all / data, filters / data, entries / data, rows / data, lists / data,
      (all - filters - entries - rows - lists) / data, values);
  const char* comma = "";
  for (const auto& [bytes, blocks] : classes) {
    std::printf("%s\"%zu\":%llu", comma, bytes, static_cast<unsigned long long>(blocks));
    comma = ",";
  }
  std::printf("}}\n");
  ::close(fd);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) die("index_build FILE [MIB [SIDECAR]]");
  const size_t mib = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 256;
  const std::string path = count > 3 ? arguments[3] : "/tmp/index_build." + std::to_string(::getpid());
  const Capture capture = load(arguments[1], mib << 20);
  std::printf("{\"step\":\"load\",\"bytes\":%zu,\"packets\":%llu}\n", capture.bytes.size(),
              static_cast<unsigned long long>(capture.packets));

  uint64_t sum = 0;
  print("walk", secondsOf([&] { walk(capture, [&](const Packet& packet, size_t) { sum += packet.data[0]; }); }),
        capture);
  print("walk, keys", secondsOf([&] {
          walk(capture, [&](const Packet& packet, size_t) {
            visitKeys(packet.data, packet.caplen, capture.header.link_type, [&](Key key) { sum += key.value; });
          });
        }),
        capture);
  BlockBuilder builder;
  uint64_t listed = 0;
  print("walk, keys, blocks", secondsOf([&] {
          listed = 0;
          build(
              capture, &builder, [&](const ClosedBlock& block) { listed += block.listed[0].size(); }, false);
        }),
        capture);
  print("walk, keys, blocks, checksums", secondsOf([&] {
          build(
              capture, &builder, [&](const ClosedBlock& block) { sum += block.entry.crc32c; }, true);
        }),
        capture);
  std::unique_ptr<SidecarWriter> writer;
  print("walk, keys, blocks, checksums, pages", secondsOf([&] {
          int error = 0;
          writer = SidecarWriter::create(path, kSegmentId, &error);
          if (!writer) die("the sidecar cannot be written");
          writer->state({});
          build(
              capture, &builder, [&](const ClosedBlock& block) { error |= writer->add(block); }, true);
          if (error != 0 || writer->flush() != 0) die("the sidecar cannot be written");
        }),
        capture);
  std::printf("{\"step\":\"open form\",\"percent\":%.3f,\"addresses_noted\":%llu}\n",
              100.0 * static_cast<double>(writer->bytes()) / static_cast<double>(capture.bytes.size()),
              static_cast<unsigned long long>(listed));
  const double start = processorSeconds();
  if (writer->seal() != 0) die("the sidecar cannot be sealed");
  print("seal", processorSeconds() - start, capture);
  printSizes(path, capture);

  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string why;
  print("open", secondsOf([&] { SidecarReader::open(fd, &why); }), capture);
  const auto reader = SidecarReader::open(fd, &why);
  if (!reader) die(why);
  const Need host = ip4("192.0.2.77"), port = {KeyKind::port, 7878, 7878};
  ask(reader.get(), "everything", {});
  ask(reader.get(), "a rare host", {{{host}}, false});
  ask(reader.get(), "a rare host and port", {{{host}, {port}}, false});
  ask(reader.get(), "an absent host", {{{ip4("198.51.100.1")}}, false});
  ask(reader.get(), "a busy port", {{{{KeyKind::port, 443, 443}}}, false});
  ask(reader.get(), "a small net", {{{{KeyKind::ip4, ip4("192.0.2.0").low, ip4("192.0.2.255").low}}}, false});
  ::close(fd);
  if (count <= 3) ::unlink(path.c_str());
  // The sum is used, so that no walk is optimised away.
  return sum == 1 ? 2 : 0;
}
