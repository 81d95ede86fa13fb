#include "capture/pins.h"

#include <cerrno>
#include <charconv>

#include "capture/files.h"
#include "capture/segment_name.h"

namespace spillway::capture {
namespace {

constexpr size_t kMaxPinBytes = 32;

}  // namespace

bool pinHolds(const std::string& path, Nanos now) {
  std::vector<uint8_t> text;
  const int result = readWhole(path, kMaxPinBytes, &text);
  if (result != 0) return result != -ENOENT;
  const char* begin = reinterpret_cast<const char*>(text.data());
  const char* end = begin + text.size();
  Nanos until = 0;
  const auto [after, error] = std::from_chars(begin, end, until);
  const bool whole = error == std::errc{} && end - after == 1 && *after == '\n';
  return !whole || until <= 0 || now < until;
}

bool Pins::hold(const std::string& folder, uint64_t id) {
  const Folder& there = look(folder);
  if (!there.listed) return true;
  const auto [first, last] = there.names.equal_range(id);
  for (auto pin = first; pin != last; ++pin)
    if (pinHolds(folder + "/" + pin->second, now_)) return true;
  return false;
}

const Pins::Folder& Pins::look(const std::string& path) {
  const auto [place, is_new] = folders_.try_emplace(path);
  Folder& folder = place->second;
  if (!is_new) return folder;
  const int result = visitFolder(path, [&](const FolderEntry& entry) {
    if (entry.kind == EntryKind::pin) folder.names.emplace(entry.id, entry.name);
  });
  folder.listed = result == 0;
  return folder;
}

}  // namespace spillway::capture
