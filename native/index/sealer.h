// Makes the sealed form of a sidecar from the pages of the open one, a group at a time: its memory is bounded by one
// group's filters, whatever the segment's length.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "index/block_set.h"
#include "index/group_record.h"
#include "index/page.h"
#include "index/sealed_output.h"
#include "index/totals.h"

namespace spillway {

class Sealer {
 public:
  // `to` is borrowed, and nothing has been written to it.
  Sealer(uint64_t segment_id, SealedOutput* to);
  // The next page. 0, or -errno of the output, as below.
  int add(const Page& page);
  // Writes what is left, and the trailer.
  int finish();
  const SidecarTotals& totals() const { return totals_; }

 private:
  // A group whose blocks come in.
  struct Group {
    GroupRecord record;
    std::vector<uint8_t> entries;
    std::vector<uint8_t> classes;                     // one byte a block
    std::map<uint8_t, std::vector<uint8_t>> filters;  // by class
    std::map<uint32_t, BlockSet> rows;                // by rowKey
    size_t ether_types = 0;                           // rows of them
    std::array<PageList, kListedKinds> listed;
  };
  void add(const IndexedBlock& block);
  void addSmall(const SmallKeys& small, uint32_t block);
  int endGroup();

  uint64_t segment_id_;
  SealedOutput* to_;
  Group group_;
  std::vector<GroupRecord> groups_;
  std::vector<std::vector<uint8_t>> states_;
  SidecarTotals totals_;
};

}  // namespace spillway
