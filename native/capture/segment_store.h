// The buffer of one interface on the disk: blocks come in, segments, sidecars, marks and the record of losses come out.
// No threads of its own, no waiting: where the disk refuses, the call says so and is made again later.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "capture/failure.h"
#include "capture/finisher.h"
#include "capture/losses.h"
#include "capture/marks.h"
#include "capture/retention.h"
#include "capture/segment_bytes.h"
#include "capture/segment_index.h"
#include "capture/segment_writer.h"

namespace spillway::capture {

enum class Fsync : uint8_t {
  never,   // the system decides when bytes reach the disk
  seal,    // a sealed segment is durable
  commit,  // every commit is
};

struct StoreOptions {
  std::string folder;  // of the interface
  uint64_t segment_bytes = 0;
  int64_t segment_seconds = 0;  // a segment with packets is sealed after that long
  Fsync fsync = Fsync::seal;
  InterfaceFacts facts;
  std::string application;
};

class SegmentStore {
 public:
  // `retention` and `finisher` outlive the store. Without a finisher a segment is finished where it ends, and a commit
  // is durable when it returns.
  SegmentStore(StoreOptions options, Retention* retention, Finisher* finisher = nullptr);

  // Opens marks and losses, and finds the next id. The folder must be there, and recovered (recovery.h).
  Failed open(Nanos now);

  // Takes whole enhanced packet blocks, borrowed until written() has passed them. `taken` gets how many bytes; fewer
  // than all only with -errno, when there is no room for another segment: then called again with the rest.
  int put(Bytes blocks, Nanos now, size_t* taken);
  // Packets that came from the source, wanted or not: for the statistics.
  void received(uint64_t packets) { received_ += packets; }
  void lose(Loss loss);

  // Writes everything and publishes it. 0 or -errno; after a failure the marks stand where they stood.
  int commit(Nanos now);
  // commit, and ends the segment, which the finisher then makes durable and renames. Nothing happens where none is
  // open.
  int seal(Nanos now);
  // The open segment has packets and is old enough to be sealed.
  bool due(Nanos now) const;
  // Ends without the disk: what was not committed is lost (returns how many packets); the next start recovers the rest.
  uint64_t abandon();

  // Of all bytes that put() took, those that are in files.
  uint64_t written() const;

  // Publishes what became durable since; to be called when the finisher has told.
  void settle();
  // Publishes the state alone; the marks stand where they stood.
  void setState(CaptureState state);
  const Marks& marks() const { return marks_; }
  // Of the marks, for whoever watches the store only: bytes of packets stored.
  uint64_t packetBytes() const { return packet_bytes_; }

 private:
  int openSegment(Nanos now);
  int createFile(const std::string& path, Nanos now);
  bool fits(size_t block) const;
  void note(Bytes block);
  int writeLosses();
  int endFile(Nanos now);
  int makeDurable();
  void publish(Nanos now);
  void show();
  std::string path(const std::string& name) const { return options_.folder + "/" + name; }

  StoreOptions options_;
  Retention* retention_;
  Finisher* finisher_;
  MarksPage page_;
  LossLog log_;
  std::vector<Loss> unwritten_losses_;
  Marks marks_;  // as they will be at the next commit, the marked bytes apart
  uint64_t next_id_ = 1;
  uint64_t base_ = 0;          // bytes taken for segments before the open one
  uint64_t base_packets_ = 0;  // and packets
  uint64_t packet_bytes_ = 0;
  uint64_t finishing_ = 0;  // what the finisher is to have done before the marks may be shown
  bool hidden_ = false;     // they are not shown yet
  uint64_t received_ = 0;

  // The open segment.
  SegmentWriter file_;
  SegmentIndex index_;
  std::vector<uint8_t> header_;
  uint64_t limit_ = 0;  // bytes it may have
  uint64_t packets_ = 0;
  uint64_t received_before_ = 0;  // its time
  LossTotals losses_;
  Nanos opened_at_ = 0;
  Nanos smallest_ = 0;
  Nanos largest_ = 0;
  bool ending_ = false;  // the statistics are added
  uint8_t statistics_[kStatisticsBytes];
};

}  // namespace spillway::capture
