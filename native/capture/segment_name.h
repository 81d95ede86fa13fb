// The names of what lies in an interface's folder, and listing it.
//
//   0000000000000007.pcapng        a sealed segment
//   0000000000000008.pcapng.part   the segment under construction
//   0000000000000007.index         a segment's sidecar; also .index.part, .index.tmp, .index.tmp.part while it is
//                                  being made
//   0000000000000007.pin-WORD      holds the segment, see pins.h
//   marks, losses                  see marks.h and losses.h
//
// Ids are decimal, grow by one and are never used again.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::capture {

enum class EntryKind : uint8_t { sealed, part, index, pin, leftover };

struct FolderEntry {
  uint64_t id;
  EntryKind kind;
  std::string name;
};

std::string sealedName(uint64_t id);
std::string partName(uint64_t id);
// The segment's name without an ending, "0000000000000007".
std::string stemName(uint64_t id);

// Reads a name; false where it belongs to no segment.
bool parseName(std::string_view name, FolderEntry* entry);

// Calls `visit` with every entry of a folder that belongs to a segment, in no order. Returns 0 or -errno.
int visitFolder(const std::string& path, const std::function<void(const FolderEntry&)>& visit);

// All of them, by id.
int listFolder(const std::string& path, std::vector<FolderEntry>* entries);

// The folder of an interface within the job's: "0-eth0".
std::string interfaceFolderName(size_t position, const std::string& interface);
// The folders of all interfaces in the job's, in order of position; also those that are captured no longer.
int listInterfaceFolders(const std::string& job, std::vector<std::string>* names);

}  // namespace spillway::capture
