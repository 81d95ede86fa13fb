#include "index/sidecar_reader.h"

#include <cstring>
#include <utility>

#include "index/byte_source.h"
#include "index/group_probe.h"
#include "index/page.h"
#include "index/sealed_output.h"
#include "index/sealed_sidecar.h"
#include "index/sealer.h"
#include "index/time_spans.h"

namespace spillway {

using namespace sidecar;

namespace {

// Makes the sealed form of an open sidecar's whole pages in memory.
bool sealInMemory(const ByteSource& source, uint64_t segment_id, std::vector<uint8_t>* image, bool* torn,
                  std::string* why) {
  SealedOutput output(image);
  Sealer sealer(segment_id, &output);
  PageReader pages(source, segment_id);
  for (Page page; pages.next(&page);) sealer.add(page);
  if (pages.error() != 0) {
    *why = std::string("it cannot be read: ") + std::strerror(-pages.error());
    return false;
  }
  *torn = pages.torn();
  sealer.finish();
  return true;
}

std::unique_ptr<SidecarReader> refuse(std::string* why, std::string text) {
  *why = std::move(text);
  return nullptr;
}

// Appends a block, to the run before where it goes on there, in the same state.
void append(const BlockEntry& entry, uint64_t number, std::vector<BlockRun>* runs) {
  if (runs->empty() || runs->back().first_block + runs->back().blocks != number || runs->back().state != entry.state) {
    BlockRun run;
    run.offset = entry.offset;
    run.first_block = number;
    run.state = entry.state;
    runs->push_back(run);
  }
  BlockRun& run = runs->back();
  run.length += entry.length;
  run.blocks += 1;
  run.packets += entry.packets;
  run.untimed += entry.untimed;
  run.captured_bytes += entry.captured_bytes;
}

}  // namespace

SidecarReader::SidecarReader() = default;
SidecarReader::~SidecarReader() = default;

std::unique_ptr<SidecarReader> SidecarReader::open(int fd, std::string* why) {
  ByteSource source;
  if (const int error = ByteSource::of(fd, &source); error != 0)
    return refuse(why, std::string("it cannot be read: ") + std::strerror(-error));
  return open(source, why);
}

std::unique_ptr<SidecarReader> SidecarReader::open(Bytes bytes, std::string* why) {
  return open(ByteSource::of(bytes), why);
}

std::unique_ptr<SidecarReader> SidecarReader::open(const ByteSource& source, std::string* why) {
  uint8_t header[kHeaderBytes];
  uint32_t form = 0;
  uint64_t segment_id = 0;
  if (source.size < sizeof header) return refuse(why, "it is too short");
  if (const int error = source.read(0, sizeof header, header); error != 0)
    return refuse(why, std::string("it cannot be read: ") + std::strerror(-error));
  if (!decodeHeader(header, &form, &segment_id, why)) return nullptr;

  std::unique_ptr<SidecarReader> reader(new SidecarReader);
  reader->sidecar_ = std::make_unique<SealedSidecar>();
  switch (static_cast<Form>(form)) {
    case Form::open:
      if (!sealInMemory(source, segment_id, &reader->image_, &reader->torn_, why)) return nullptr;
      if (!reader->sidecar_->open(ByteSource::of({reader->image_.data(), reader->image_.size()}), why)) return nullptr;
      return reader;
    case Form::sealed:
      reader->sealed_ = true;
      if (!reader->sidecar_->open(source, why)) return nullptr;
      return reader;
  }
  return refuse(why, "it is of an unknown form");
}

uint64_t SidecarReader::segmentId() const { return sidecar_->segmentId(); }
const SidecarTotals& SidecarReader::totals() const { return sidecar_->totals(); }

Bytes SidecarReader::state(uint32_t id) const {
  const auto& states = sidecar_->states();
  if (id >= states.size()) return {};
  return {states[id].data(), states[id].size()};
}

bool SidecarReader::entries(uint64_t first, uint64_t count, std::vector<BlockEntry>* entries, std::string* why) {
  for (uint64_t number = first; number < first + count; ++number) {
    // No group but the last is smaller.
    const GroupRecord& group = sidecar_->groups()[number / kGroupBlocks];
    BlockEntry entry;
    if (!sidecar_->entry(group, static_cast<uint32_t>(number % kGroupBlocks), &entry, why)) return false;
    entries->push_back(entry);
  }
  return true;
}

bool SidecarReader::entries(std::vector<BlockEntry>* entries, std::string* why) {
  entries->clear();
  return this->entries(0, totals().blocks, entries, why);
}

bool SidecarReader::candidates(const IndexQuery& query, std::vector<BlockRun>* runs, std::string* why) {
  runs->clear();
  const TimeSpans spans(query.spans);
  uint64_t first = 0;
  for (const GroupRecord& group : sidecar_->groups()) {
    const uint64_t number = std::exchange(first, first + group.blocks);
    const bool describes = group.describes && query.descriptions;
    if (!describes && !spans.touch(group.timed, group.min_time, group.max_time)) continue;
    GroupProbe probe(sidecar_.get(), &group);
    BlockSet wanted = BlockSet::first(group.blocks);
    for (const auto& [link_type, needs] : query.needs) {
      BlockSet unwanted, holding;
      // Link types of files have 16 bits; no row is about a larger one.
      if (link_type > 0xffff) continue;
      if (!probe.row(rowKey(RowKind::link_type, link_type), &unwanted, why)) return false;
      if (unwanted.empty()) continue;
      if (!probe.mayHold(needs, &holding, why)) return false;
      unwanted -= holding;
      wanted -= unwanted;
    }
    if (describes && !probe.row(rowKey(RowKind::describes, 0), &wanted, why)) return false;

    bool good = true;
    wanted.each([&](uint32_t block) {
      BlockEntry entry;
      if (!good || !(good = sidecar_->entry(group, block, &entry, why))) return;
      if ((describes && entry.describes) || spans.touch(entry.timed(), entry.min_time, entry.max_time))
        append(entry, number + block, runs);
    });
    if (!good) return false;
  }
  return true;
}

}  // namespace spillway
