#include "capture/checked_blocks.h"

#include <fcntl.h>

#include <cerrno>

#include "base/crc32c.h"
#include "base/file.h"
#include "capture/files.h"
#include "capture/segment_bytes.h"
#include "index/sidecar_reader.h"
#include "scan/state.h"

namespace spillway::capture {
namespace {

// Its number among the states of a sidecar: behind that of the file's start.
constexpr uint32_t kBehindHeader = 1;

bool isWhole(int fd, const BlockEntry& entry, std::vector<uint8_t>* bytes) {
  bytes->resize(entry.length);
  return readAt(fd, bytes->data(), entry.length, entry.offset) == static_cast<int64_t>(entry.length) &&
         crc32c(bytes->data(), bytes->size()) == entry.crc32c;
}

}  // namespace

CheckedBlocks checkBlocks(int fd, uint64_t size, const std::string& sidecar, uint64_t id, uint64_t marked) {
  CheckedBlocks blocks;
  int error;
  const Fd index = openFile(sidecar, O_RDONLY, &error);
  if (!index) return blocks;
  std::string why;
  const auto reader = SidecarReader::open(index.get(), &why);
  std::vector<BlockEntry> entries;
  if (!reader || reader->segmentId() != id || !reader->entries(&entries, &why)) return blocks;
  const Bytes state = reader->state(kBehindHeader);
  blocks.state.assign(state.data, state.data + state.size);
  std::vector<uint8_t> bytes;
  for (const BlockEntry& entry : entries) {
    if (entry.offset != blocks.end || entry.length == 0 || entry.length > size - blocks.end) break;
    if (!isWhole(fd, entry, &bytes)) {
      if (entry.offset >= marked) break;
      blocks.damaged.push_back(entry);
    }
    blocks.end = entry.end();
  }
  return blocks;
}

int replaceDamaged(int fd, const CheckedBlocks& blocks, const std::string& interface) {
  for (const BlockEntry& entry : blocks.damaged) {
    std::vector<uint8_t> bytes;
    if (entry.offset == 0) {
      ReaderState state;
      if (!decodeState({blocks.state.data(), blocks.state.size()}, &state) || state.interfaces.empty()) return -EINVAL;
      InterfaceFacts facts;
      facts.name = interface;
      facts.link_type = state.interfaces.front().link_type;
      facts.snap_length = state.interfaces.front().snap_length;
      bytes = segmentHeader(facts, "spillway-capture");
    }
    if (entry.length < bytes.size() + kMinFillerBytes) return -EINVAL;
    const size_t header = bytes.size();
    bytes.resize(entry.length);
    putFiller(bytes.data() + header, bytes.size() - header, entry.max_time);
    if (const int result = writeAllAt(fd, {bytes.data(), bytes.size()}, entry.offset); result != 0) return result;
  }
  return 0;
}

}  // namespace spillway::capture
