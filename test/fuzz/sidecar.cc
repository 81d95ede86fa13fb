// Any bytes as a sidecar, mostly with checksums that are right: it is refused with a reason, or gives answers that
// agree with one another. What they say of the segment may be anything.
#include "../native/index/mend.h"
#include "scan/probe.h"

#include "control.h"
#include "fresh_sidecar.h"
#include "mutate.h"

using namespace spillway;
using namespace spillway::fuzz;

namespace {

Need someNeed(Control* control) {
  static constexpr KeyKind kKinds[] = {KeyKind::ip4,         KeyKind::port, KeyKind::ip6,       KeyKind::mac,
                                       KeyKind::ip_protocol, KeyKind::vlan, KeyKind::ether_type};
  const KeyKind kind = kKinds[control->below(7)];
  const uint64_t low = control->below(256) + (kind == KeyKind::ip4 ? 0x0a000000 : 0);
  return {kind, low, low + control->below(40)};
}

IndexQuery someQuery(Control* control) {
  IndexQuery query;
  query.descriptions = control->yes();
  if (control->yes()) query.needs.push_back({1, {{{someNeed(control)}}, control->below(16) == 1}});
  if (control->yes()) query.spans = {{static_cast<Nanos>(control->below(256) * 4), 700}};
  return query;
}

// What a sidecar answers, nothing where it fails.
struct Answers {
  std::optional<std::vector<BlockEntry>> entries;
  std::optional<std::vector<BlockRun>> all;
  std::optional<std::vector<BlockRun>> some;
  bool operator==(const Answers&) const = default;
};

template <class T, class Ask>
std::optional<T> asked(Ask ask) {
  T answer;
  std::string why;
  const bool good = ask(&answer, &why);
  ENSURE(good == why.empty());
  return good ? std::optional(answer) : std::nullopt;
}

uint64_t blocksIn(const std::vector<BlockRun>& runs) {
  uint64_t blocks = 0;
  for (const BlockRun& run : runs) blocks += run.blocks;
  return blocks;
}

// Runs stand one behind another and are what their entries add up to.
void ensureRuns(const std::vector<BlockRun>& runs, const Answers& answers, uint64_t blocks) {
  uint64_t next = 0;
  for (const BlockRun& run : runs) {
    ENSURE(run.blocks != 0 && run.first_block >= next && run.blocks <= blocks - run.first_block);
    next = run.first_block + run.blocks;
    if (!answers.entries) continue;
    uint64_t length = 0, packets = 0;
    for (uint64_t n = run.first_block; n < next; ++n) {
      length += (*answers.entries)[n].length;
      packets += (*answers.entries)[n].packets;
    }
    ENSURE(run.length == length && run.packets == packets);
    ENSURE(run.offset == (*answers.entries)[run.first_block].offset);
  }
}

Answers answersOf(SidecarReader* reader, const IndexQuery& query) {
  Answers answers;
  const uint64_t blocks = reader->totals().blocks;
  answers.entries =
      asked<std::vector<BlockEntry>>([&](auto* entries, auto* why) { return reader->entries(entries, why); });
  if (canary() && blocks > 2 && reader->torn() && answers.entries) answers.entries->pop_back();
  if (answers.entries) {
    ENSURE(answers.entries->size() == blocks);
    for (const BlockEntry& entry : *answers.entries) reader->state(entry.state);
  }
  answers.all = asked<std::vector<BlockRun>>([&](auto* runs, auto* why) { return reader->candidates({}, runs, why); });
  answers.some =
      asked<std::vector<BlockRun>>([&](auto* runs, auto* why) { return reader->candidates(query, runs, why); });
  if (answers.all) {
    ensureRuns(*answers.all, answers, blocks);
    ENSURE(blocksIn(*answers.all) == blocks);
  }
  if (answers.some) ensureRuns(*answers.some, answers, blocks);
  const auto probed = asked<ProbeAnswer>([&](auto* answer, auto* why) {
    return probe(*reader, query, {true, true}, answer, why);
  });
  if (probed) {
    ENSURE(answers.some);
    ENSURE(probed->blocks.size() == blocksIn(probed->runs));
    ENSURE(blocksIn(probed->runs) >= blocksIn(*answers.some));
  }
  return answers;
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return mutate(data, size, max_size, seed, freshSidecar,
                [](uint8_t* bytes, size_t length, Random*) { mendSidecar(bytes, length); });
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Control control(data, size);
  const Exact bytes(control.file.data, control.file.size);
  const IndexQuery query = someQuery(&control);
  std::string why;
  const auto reader = SidecarReader::open(bytes.bytes(), &why);
  ENSURE((reader == nullptr) == !why.empty());
  static MemoryFile memory;
  memory.set(bytes.bytes());
  const auto from_file = SidecarReader::open(memory.fd(), &why);
  ENSURE((reader == nullptr) == (from_file == nullptr));
  if (reader) ENSURE(answersOf(reader.get(), query) == answersOf(from_file.get(), query));
  return 0;
}
