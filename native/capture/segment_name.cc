#include "capture/segment_name.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstddef>
#include <cstdio>

namespace spillway::capture {
namespace {

constexpr size_t kDigits = 16;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool isLeftover(std::string_view ending) {
  return ending == ".index.part" || ending == ".index.tmp" || ending == ".index.tmp.part" || ending == ".pcapng.tmp";
}

// Calls `visit` with every name in the folder. Returns 0 or -errno.
template <class F>
int eachName(const std::string& path, F&& visit) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return -errno;
  errno = 0;
  while (const dirent* entry = ::readdir(folder)) visit(std::string_view(entry->d_name));
  const int error = errno;
  ::closedir(folder);
  return -error;
}

}  // namespace

std::string stemName(uint64_t id) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*" PRIu64, static_cast<int>(kDigits), id);
  return text;
}
std::string sealedName(uint64_t id) { return stemName(id) + ".pcapng"; }
std::string partName(uint64_t id) { return stemName(id) + ".pcapng.part"; }

bool parseName(std::string_view name, FolderEntry* entry) {
  if (name.size() <= kDigits || !std::all_of(name.begin(), name.begin() + kDigits, isDigit)) return false;
  const std::string_view ending = name.substr(kDigits);
  entry->id = 0;
  for (size_t i = 0; i < kDigits; ++i) entry->id = entry->id * 10 + static_cast<uint64_t>(name[i] - '0');
  entry->name = name;
  if (ending == ".pcapng") entry->kind = EntryKind::sealed;
  else if (ending == ".pcapng.part") entry->kind = EntryKind::part;
  else if (ending == ".index") entry->kind = EntryKind::index;
  else if (ending.starts_with(".pin-")) entry->kind = EntryKind::pin;
  else if (isLeftover(ending)) entry->kind = EntryKind::leftover;
  else return false;
  return true;
}

int visitFolder(const std::string& path, const std::function<void(const FolderEntry&)>& visit) {
  FolderEntry entry;
  return eachName(path, [&](std::string_view name) {
    if (parseName(name, &entry)) visit(entry);
  });
}

int listFolder(const std::string& path, std::vector<FolderEntry>* entries) {
  entries->clear();
  const int result = visitFolder(path, [&](const FolderEntry& entry) { entries->push_back(entry); });
  std::sort(entries->begin(), entries->end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.id != b.id ? a.id < b.id : a.name < b.name; });
  return result;
}

std::string interfaceFolderName(size_t position, const std::string& interface) {
  return std::to_string(position) + "-" + interface;
}

int listInterfaceFolders(const std::string& job, std::vector<std::string>* names) {
  names->clear();
  const int result = eachName(job, [&](std::string_view name) {
    const size_t dash = name.find('-');
    if (dash == 0 || dash > 3 || dash + 1 >= name.size()) return;
    if (std::all_of(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(dash), isDigit)) names->emplace_back(name);
  });
  const auto position = [](const std::string& name) { return std::atoi(name.c_str()); };
  std::sort(names->begin(), names->end(), [&](const std::string& a, const std::string& b) {
    return position(a) != position(b) ? position(a) < position(b) : a < b;
  });
  return result;
}

}  // namespace spillway::capture
