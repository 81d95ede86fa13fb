// Writes the sidecar of a segment that grows: page after page is appended, each with its checksum, so that a reader or
// a recovery takes every whole page and nothing else; sealing then puts a file in its place that is made for look-ups.
// sidecar_format.h describes both forms.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "index/block.h"
#include "index/key_list.h"
#include "index/page.h"
#include "index/sidecar_file.h"

namespace spillway {

class SidecarWriter {
 public:
  // Creates the file at `path`, or empties it. Returns nothing and an errno in `error` where that fails.
  static std::unique_ptr<SidecarWriter> create(const std::string& path, uint64_t segment_id, int* error);

  // Goes on behind the first `blocks` blocks of an open sidecar, and drops what follows them in it. Returns nothing
  // where the file is no open sidecar of that segment or has fewer whole blocks, and says so in `why`.
  static std::unique_ptr<SidecarWriter> resume(const std::string& path, uint64_t segment_id, uint64_t blocks,
                                               std::string* why);

  // The number by which entries name this reader's state (encodeState of scan/state.h; no bytes at the start of a
  // file). Equal states have one number. Returns kNoState where the sidecar has no room for it: then the index ends
  // here, and what follows in the segment is always scanned.
  static constexpr uint32_t kNoState = UINT32_MAX;
  uint32_t state(Bytes state);

  // Takes a block, copied; the file gets it with the next flush (or sooner, where much has come together). Returns 0,
  // -EINVAL for a block that does not begin where the one before ended (the first: at 0), is empty, or names a state
  // that was not given, or -errno of writing, where the block is taken all the same.
  int add(const ClosedBlock& block);

  // Writes what was added as a page. After -errno all of it is kept, and the next call tries again at the same place.
  int flush();
  // flush, and waits until it survives a loss of power.
  int sync();
  // flush, and puts the sealed form in the file's place: written beside it (path + ".part"), made durable, renamed.
  // Nothing can be added after it returned 0; after -errno the open form is as it was.
  int seal();

  uint64_t segmentId() const { return segment_id_; }
  uint64_t blocks() const { return blocks_; }
  // Where the next block begins.
  uint64_t end() const { return end_; }
  // Bytes of the file, with what is not written yet.
  uint64_t bytes() const { return written_ + pending_.size() + page_.bytes(); }

 private:
  SidecarWriter(const std::string& path, uint64_t segment_id, SidecarFile file);
  // Takes a page that was read into account, of which blocks up to number `blocks` are kept.
  void takeBack(const Page& page, uint64_t blocks, uint64_t page_end);
  void beginGroup();
  void endPage();
  int sealInto(const std::string& path);

  std::string path_;
  uint64_t segment_id_;
  SidecarFile file_;
  uint64_t written_ = 0;          // bytes of the file that hold whole pages
  std::vector<uint8_t> pending_;  // whole pages, not written yet
  PageWriter page_;               // the page under construction
  std::map<std::vector<uint8_t>, uint32_t> states_;
  uint32_t state_count_ = 0;  // numbers given
  size_t state_bytes_ = 0;
  uint64_t blocks_ = 0;
  uint64_t end_ = 0;
  std::array<KeySet, kListedKinds> group_listed_;  // of the group under construction
};

}  // namespace spillway
