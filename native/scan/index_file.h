// Walks a capture file from its first byte to its last and writes its index: the sidecar of a file that is not ours.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "format/pcap_reader.h"
#include "format/pcapng_reader.h"
#include "index/block_builder.h"
#include "index/sidecar_writer.h"
#include "scan/input.h"

namespace spillway {

class IndexFile {
 public:
  enum class Status : uint32_t { budget = 0, done = 1, io_error = 2 };

  // Indexes the first `size` bytes of `fd` (borrowed) into a new sidecar at `path`. Returns nothing and an errno where
  // that can't be created.
  static std::unique_ptr<IndexFile> create(int fd, uint64_t size, const std::string& path, uint64_t segment_id,
                                           int* error);

  // Goes on for about `budget` bytes of input. `done`: the end is reached, or damage, or the first thing that an index
  // can't be about; what follows that has no index and is always scanned. `io_error`: see error().
  Status step(uint64_t budget);
  // Puts the sidecar in its sealed form; to be called once, after `done`. Returns 0 or -errno.
  int seal() { return sidecar_->seal(); }

  // Bytes of the file that were walked.
  uint64_t offset() const { return input_.offset(); }
  int error() const { return error_; }  // errno

 private:
  IndexFile(std::unique_ptr<SidecarWriter> sidecar, int fd, uint64_t size);
  // True where there is a reader.
  bool start();
  template <class Reader>
  Status walk(Reader& reader, uint64_t budget_end);
  // The rest of the file has no index.
  Status end();
  bool more();
  void sum(const uint8_t* data, size_t size);
  // Ends the block before `offset` and begins the next. False where the sidecar takes no more.
  bool turnBlock(uint64_t offset);
  std::vector<uint8_t> encodedState() const;

  std::unique_ptr<SidecarWriter> sidecar_;
  BlockBuilder builder_;
  Input input_;
  std::optional<PcapReader> pcap_;
  std::optional<PcapngReader> pcapng_;
  uint64_t begun_ = 0;          // offset of the block under construction
  uint32_t checksum_ = 0;       // of its bytes so far
  std::vector<uint8_t> state_;  // encoded, at begun_
  bool over_ = false;
  int error_ = 0;
};

}  // namespace spillway
