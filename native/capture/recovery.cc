#include "capture/recovery.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "capture/checked_blocks.h"
#include "capture/files.h"
#include "capture/json.h"
#include "capture/losses.h"
#include "capture/marks.h"
#include "capture/segment_bytes.h"
#include "capture/segment_name.h"
#include "capture/segment_scan.h"

namespace spillway::capture {
namespace {

using Tell = std::function<void(const Repair&)>;

// "eth0" of a folder ".../0-eth0".
std::string interfaceOf(const std::string& folder) {
  const std::string name = folder.substr(folder.rfind('/') + 1);
  return name.substr(name.find('-') + 1);
}

uint64_t sizeOf(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 ? static_cast<uint64_t>(found.st_size) : 0;
}

// How far the marks vouch for it. After a restart of the machine only what was durable is believed: the marks may have
// reached the disk and the packets not.
struct Marked {
  uint64_t end = 0;
  uint64_t packets = 0;  // within; 0: not known
  Nanos smallest = 0;    // their times
  Nanos largest = 0;
};

Marked markedOf(const std::string& folder, uint64_t id, uint64_t size) {
  const auto marks = readMarks(folder);
  if (!marks || id > marks->segment_id) return {};
  const BootId now = bootId();
  const bool same_boot = marks->boot_id == now && now != BootId{};
  // One before the last is complete, and was cut to its length before the last began.
  if (id < marks->segment_id) return {same_boot ? size : 0};
  if (!same_boot) return {marks->durable_bytes};
  return {marks->visible_bytes, marks->packets, marks->smallest_time, marks->largest_time};
}

// Packets that were stored and are damaged are lost to the disk. Returns how many.
uint64_t countDamaged(const std::string& folder, uint64_t id, const CheckedBlocks& blocks, const Marked& marked,
                      const SegmentScan& scan) {
  std::vector<Loss> losses;
  uint64_t lost = 0;
  const auto lose = [&](Nanos start, Nanos end, uint64_t packets) {
    losses.push_back(lossBetween(LossKind::disk, start, end, packets));
    losses.back().segment_id = id;
    lost += packets;
  };
  for (const BlockEntry& entry : blocks.damaged)
    if (entry.packets != 0) lose(entry.min_time, entry.max_time, entry.packets);
  // And behind the last whole one.
  if (marked.packets > scan.packets + lost)
    lose(scan.packets != 0 ? scan.largest : marked.smallest, marked.largest, marked.packets - scan.packets - lost);
  LossLog log;
  if (lost == 0 || log.open(folder) != 0) return lost;
  for (const Loss& loss : losses) log.append(loss);
  log.sync();
  return lost;
}

// The statistics that the segment has not got: what is stored was counted, what was lost is in the record of losses. A
// full disk has no room for them; the packets are kept all the same. 0 or -errno.
int addStatistics(int fd, const std::string& folder, uint64_t id, SegmentScan* scan) {
  LossTotals lost;
  for (const Loss& loss : readLosses(folder))
    if (loss.segment_id == id) lost.add(loss);
  uint8_t block[kStatisticsBytes];
  putStatistics(block, {scan->smallest, scan->largest, scan->packets + lost.sum(), lost.sum(),
                        scan->packets + lost.queue + lost.disk, lost.ring, scan->packets});
  if (writeAllAt(fd, Bytes{block, sizeof block}, scan->end) == 0) {
    scan->end += sizeof block;
    return 0;
  }
  return ::ftruncate(fd, static_cast<off_t>(scan->end)) == 0 ? 0 : -errno;
}

// A segment's file tells by its time of change when its last packet came (see the list of sealed segments below).
void stampTime(int fd, Nanos time) {
  const SplitTime split = splitNanos(time);
  const timespec stamp{static_cast<time_t>(split.seconds), static_cast<long>(split.nanos)};
  const timespec both[] = {stamp, stamp};
  ::futimens(fd, both);
}

Repair recoverPart(const std::string& folder, const FolderEntry& entry) {
  Repair repair{Repair::What::sealed, {}, entry.name};
  const std::string path = folder + "/" + entry.name;
  const std::string sidecar = folder + "/" + stemName(entry.id) + ".index";
  const auto failed = [&](int result) {
    repair.what = Repair::What::failed;
    repair.error = -result;
    return repair;
  };
  int error;
  const Fd fd = openFile(path, O_RDWR, &error);
  if (!fd) return failed(-error);
  const uint64_t size = sizeOf(path);
  const Marked marked = markedOf(folder, entry.id, size);
  const CheckedBlocks blocks = checkBlocks(fd.get(), size, sidecar, entry.id, marked.end);
  const uint64_t limit = std::max(blocks.end, marked.end);
  // Cut first: what lies behind may be another segment's, and must not be there when the marks are about the next one.
  if (limit < size && ::ftruncate(fd.get(), static_cast<off_t>(limit)) != 0) return failed(-errno);
  if (const int result = replaceDamaged(fd.get(), blocks, interfaceOf(folder)); result != 0) return failed(result);
  SegmentScan scan;
  if (const int result = scanSegment(fd.get(), limit, &scan); result != 0) return failed(result);
  repair.packets = scan.packets;
  repair.cut_bytes = limit - scan.end;
  repair.lost_packets = countDamaged(folder, entry.id, blocks, marked, scan);
  if (scan.packets == 0) {
    repair.what = Repair::What::removed;
    removeFile(sidecar);
    const int result = removeFile(path);
    return result == 0 ? repair : failed(result);
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(scan.end)) != 0) return failed(-errno);
  if (!scan.statistics) {
    if (const int result = addStatistics(fd.get(), folder, entry.id, &scan); result != 0) return failed(result);
  }
  repair.kept_bytes = scan.end;
  stampTime(fd.get(), scan.largest);
  if (::fsync(fd.get()) != 0) return failed(-errno);
  if (makeSidecar(fd.get(), scan.end, entry.id, sidecar) != 0) removeFile(sidecar);
  const int result = renameFile(path, folder + "/" + sealedName(entry.id));
  return result == 0 ? repair : failed(result);
}

Repair makeMissing(const std::string& folder, const FolderEntry& entry) {
  Repair repair{Repair::What::index_made, {}, entry.name};
  int error;
  const Fd fd = openFile(folder + "/" + entry.name, O_RDONLY, &error);
  SegmentScan scan;
  int result = fd ? scanSegment(fd.get(), sizeOf(folder + "/" + entry.name), &scan) : -error;
  if (result == 0) result = makeSidecar(fd.get(), scan.end, entry.id, folder + "/" + stemName(entry.id) + ".index");
  repair.packets = scan.packets;
  repair.kept_bytes = scan.end;
  if (result != 0) repair.what = Repair::What::failed, repair.error = -result;
  return repair;
}

int recoverFolder(const std::string& folder, const Tell& tell) {
  std::vector<FolderEntry> entries;
  if (const int result = listFolder(folder, &entries); result != 0) return result;
  std::set<uint64_t> segments, indexed;
  for (const FolderEntry& entry : entries) {
    if (entry.kind == EntryKind::sealed || entry.kind == EntryKind::part) segments.insert(entry.id);
    if (entry.kind == EntryKind::index) indexed.insert(entry.id);
  }
  for (const FolderEntry& entry : entries) {
    const bool segment = segments.contains(entry.id);
    if (entry.kind == EntryKind::part) {
      tell(recoverPart(folder, entry));
    } else if (entry.kind == EntryKind::leftover || (entry.kind == EntryKind::index && !segment)) {
      removeFile(folder + "/" + entry.name);
      tell({Repair::What::swept, {}, entry.name});
    } else if (entry.kind == EntryKind::sealed && !indexed.contains(entry.id)) {
      tell(makeMissing(folder, entry));
    }
  }
  return 0;
}

int addSealed(const std::string& folder, Retention* retention) {
  std::vector<FolderEntry> entries;
  if (const int result = listFolder(folder, &entries); result != 0) return result;
  for (const FolderEntry& entry : entries) {
    struct stat found;
    const std::string path = folder + "/" + entry.name;
    if (entry.kind != EntryKind::sealed || ::stat(path.c_str(), &found) != 0) continue;
    const uint64_t bytes = static_cast<uint64_t>(found.st_size) + sizeOf(folder + "/" + stemName(entry.id) + ".index");
    const Nanos end = static_cast<Nanos>(found.st_mtim.tv_sec) * kNanosPerSecond + found.st_mtim.tv_nsec;
    retention->add({folder, entry.id, bytes, end});
  }
  return 0;
}

const char* nameOf(Repair::What what) {
  switch (what) {
    case Repair::What::sealed:
      return "sealed";
    case Repair::What::removed:
      return "removed";
    case Repair::What::index_made:
      return "index_made";
    case Repair::What::swept:
      return "swept";
    case Repair::What::failed:
      return "failed";
  }
  return "unknown";
}

}  // namespace

std::string toJson(const Repair& repair) {
  Json json;
  json.add("repair", nameOf(repair.what)).add("folder", repair.folder).add("file", repair.file);
  if (repair.what != Repair::What::swept)
    json.add("packets", repair.packets)
        .add("kept_bytes", repair.kept_bytes)
        .add("cut_bytes", repair.cut_bytes)
        .add("lost_packets", repair.lost_packets);
  if (repair.error != 0) json.add("error", std::strerror(repair.error));
  return json.object();
}

Failed recover(const std::string& job, Retention* retention, const Tell& tell) {
  std::vector<std::string> folders;
  int result = listInterfaceFolders(job, &folders);
  std::string at = job;
  for (const std::string& name : folders) {
    if (result != 0) break;
    at = job + "/" + name;
    result = recoverFolder(at, [&](Repair repair) {
      repair.folder = name;
      tell(repair);
    });
    if (result == 0 && retention != nullptr) result = addSealed(at, retention);
  }
  if (result != 0) return Failure{Code::folder_unusable, withErrno("the folder " + at + " can't be read", -result)};
  return std::nullopt;
}

}  // namespace spillway::capture
