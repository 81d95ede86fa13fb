// A folder for one test, blocks to put into segments, and reading segments back.
#pragma once
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "buffer.h"
#include "capture/files.h"
#include "capture/segment_bytes.h"
#include "capture/segment_name.h"
#include "format/pcapng_options.h"
#include "format/pcapng_reader.h"

namespace spillway::test {

inline Buffer text(std::string_view of) { return {of.begin(), of.end()}; }

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& under = "/tmp") : path_(under + "/spillway-native-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  bool has(const std::string& name) const { return std::filesystem::exists(path_ + "/" + name); }
  size_t size(const std::string& name) const {
    std::error_code none;
    const auto size = std::filesystem::file_size(path_ + "/" + name, none);
    return none ? 0 : size;
  }
  void write(const std::string& name, const Buffer& bytes) const {
    if (capture::writeWhole(path_ + "/" + name, bytesOf(bytes)) != 0) std::abort();
  }
  Buffer read(const std::string& name) const {
    Buffer bytes;
    capture::readWhole(path_ + "/" + name, size_t{1} << 30, &bytes);
    return bytes;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::string path_;
};

// The payload of packet `number`: the number, then bytes that tell it.
inline Buffer numbered(uint32_t number, size_t size) {
  Buffer data(std::max<size_t>(size, 4));
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(number * 7 + i);
  store32(data.data(), number);
  return data;
}

inline Buffer blockOf(const Buffer& data, Nanos time) {
  capture::CapturedPacket packet;
  packet.data = data.data();
  packet.caplen = packet.wirelen = static_cast<uint32_t>(data.size());
  packet.time = time;
  Buffer block(capture::capturedBytesBound(packet));
  const uint32_t caplen = capture::putCapturedBytes(block.data(), packet);
  block.resize(capture::frameCaptured(block.data(), caplen, packet.wirelen, time));
  return block;
}

// Blocks of the packets first .. first + count - 1, of `size` bytes each, at start + number nanoseconds.
inline Buffer blocksOf(uint32_t first, uint32_t count, size_t size, Nanos start = 1'000'000) {
  Buffer all;
  for (uint32_t n = first; n < first + count; ++n) {
    const Buffer block = blockOf(numbered(n, size), start + n);
    all.insert(all.end(), block.begin(), block.end());
  }
  return all;
}

// What a PCAPNG file holds.
struct ReadBack {
  std::vector<uint32_t> numbers;  // the first four bytes of each packet
  std::vector<Nanos> times;
  std::vector<Interface> interfaces;
  Buffer statistics;   // the last block, where it is one
  bool whole = false;  // every byte was read
};

inline ReadBack readBack(const Buffer& file) {
  ReadBack back;
  PcapngReader reader;
  Packet packet;
  size_t at = 0;
  while (at < file.size()) {
    const Next next = reader.next(file.data() + at, file.size() - at, &packet);
    if (next == Next::need_more || next == Next::damage) return back;
    if (next == Next::packet) {
      back.numbers.push_back(packet.caplen < 4 ? 0 : load32(packet.data));
      back.times.push_back(packet.time);
    }
    const bool statistics = next == Next::skipped && load32(packet.record.data) == pcapng::kInterfaceStatistics;
    back.statistics = statistics ? copyOf(packet.record) : Buffer{};
    back.interfaces = reader.interfaces();
    at += packet.record.size;
  }
  back.whole = true;
  return back;
}

// The number of an option of a statistics block; ~0 where it has none.
inline uint64_t statistic(const Buffer& block, uint16_t code) {
  if (block.empty()) return ~uint64_t{0};
  pcapng::OptionWalk walk({block.data() + 20, block.size() - 24}, Order{});
  for (pcapng::Option option{}; walk.next(&option);)
    if (option.code == code && option.length == 8) return load64(option.value);
  return ~uint64_t{0};
}

inline std::vector<uint32_t> upTo(uint32_t first, uint32_t count) {
  std::vector<uint32_t> numbers;
  for (uint32_t n = first; n < first + count; ++n) numbers.push_back(n);
  return numbers;
}

}  // namespace spillway::test
