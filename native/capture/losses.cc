#include "capture/losses.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/crc32c.h"
#include "capture/files.h"
#include "capture/limits.h"

namespace spillway::capture {
namespace {

constexpr char kMagic[] = "SPILLOSS";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kRecordBytes = 48;
constexpr size_t kMaxFileBytes = size_t{1} << 30;

bool isCounted(LossKind kind) { return kind == LossKind::ring || kind == LossKind::queue || kind == LossKind::disk; }

bool isHeader(Bytes file) {
  return file.size >= kHeaderBytes && std::memcmp(file.data, kMagic, 8) == 0 && load32(file.data + 8) == kVersion &&
         load32(file.data + 12) == kRecordBytes;
}

}  // namespace

Loss lossBetween(LossKind kind, Nanos one, Nanos other, uint64_t packets) {
  return {kind, std::min(one, other), std::max(one, other), packets, 0};
}

void LossTotals::add(const Loss& loss) {
  if (loss.packets == kUnknownPackets) return;
  if (loss.kind == LossKind::ring) ring += loss.packets;
  if (loss.kind == LossKind::queue) queue += loss.packets;
  if (loss.kind == LossKind::disk) disk += loss.packets;
}

void mergeLoss(std::vector<Loss>* list, const Loss& loss) {
  if (!list->empty() && isCounted(loss.kind)) {
    Loss& last = list->back();
    if (last.kind == loss.kind && last.segment_id == loss.segment_id && loss.start <= last.end) {
      last.start = std::min(last.start, loss.start);
      last.end = std::max(last.end, loss.end);
      last.packets += loss.packets;
      return;
    }
  }
  list->push_back(loss);
}

std::vector<Loss> decodeLosses(Bytes file) {
  std::vector<Loss> losses;
  if (!isHeader(file)) return losses;
  for (size_t at = kHeaderBytes; file.size - at >= kRecordBytes; at += kRecordBytes) {
    const uint8_t* record = file.data + at;
    if (load32(record) != crc32c(record + 4, kRecordBytes - 4)) break;
    losses.push_back({static_cast<LossKind>(record[4]), static_cast<Nanos>(load64(record + 16)),
                      static_cast<Nanos>(load64(record + 24)), load64(record + 32), load64(record + 8)});
  }
  return losses;
}

std::vector<Loss> readLosses(const std::string& folder) {
  std::vector<uint8_t> bytes;
  if (readWhole(folder + "/losses", kMaxFileBytes, &bytes) != 0) return {};
  return decodeLosses({bytes.data(), bytes.size()});
}

int LossLog::open(const std::string& folder) {
  std::vector<uint8_t> bytes;
  const std::string path = folder + "/losses";
  int error;
  const int read = readWhole(path, kMaxFileBytes, &bytes);
  if (read != 0 && read != -ENOENT) return read;
  fd_ = openFile(path, O_WRONLY | O_CREAT, &error);
  if (!fd_) return -error;
  const Bytes file{bytes.data(), bytes.size()};
  if (isHeader(file) && file.size > limits::kMaxLossBytes) return keepNewer(folder, file);
  if (isHeader(file)) {
    size_ = kHeaderBytes + decodeLosses(file).size() * kRecordBytes;
  } else {
    uint8_t header[kHeaderBytes];
    std::memcpy(header, kMagic, 8);
    store32(header + 8, kVersion);
    store32(header + 12, kRecordBytes);
    if (const int result = writeAllAt(fd_.get(), Bytes{header, sizeof header}, 0); result != 0) return result;
    size_ = kHeaderBytes;
  }
  return ::ftruncate(fd_.get(), static_cast<off_t>(size_)) == 0 ? 0 : -errno;
}

int LossLog::keepNewer(const std::string& folder, Bytes file) {
  const size_t records = decodeLosses(file).size();
  const size_t kept = std::min<size_t>(records, limits::kMaxLossBytes / kRecordBytes / 2);
  std::vector<uint8_t> newer(file.data, file.data + kHeaderBytes);
  const uint8_t* end = file.data + kHeaderBytes + records * kRecordBytes;
  newer.insert(newer.end(), end - kept * kRecordBytes, end);
  const int result = writeWhole(folder + "/losses", {newer.data(), newer.size()});
  return result == 0 ? open(folder) : result;
}

int LossLog::append(const Loss& loss) {
  uint8_t record[kRecordBytes] = {};
  record[4] = static_cast<uint8_t>(loss.kind);
  store64(record + 8, loss.segment_id);
  store64(record + 16, static_cast<uint64_t>(loss.start));
  store64(record + 24, static_cast<uint64_t>(loss.end));
  store64(record + 32, loss.packets);
  store32(record, crc32c(record + 4, kRecordBytes - 4));
  const int result = writeAllAt(fd_.get(), Bytes{record, sizeof record}, size_);
  if (result == 0) size_ += kRecordBytes;
  return result;
}

int LossLog::sync() { return ::fdatasync(fd_.get()) == 0 ? 0 : -errno; }

}  // namespace spillway::capture
