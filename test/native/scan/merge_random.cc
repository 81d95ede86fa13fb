// Random sources against the model: every order, step, buffer and way in gives what the plain means give.
#include "check.h"
#include "merging.h"
#include "random.h"
#include "reread.h"
#include "samples.h"

namespace spillway::test {
namespace {

constexpr Format kFormats[] = {Format::pcap_us,   Format::pcap_ns, Format::pcapng_us,
                               Format::pcapng_ns, Format::records, Format::none};

// A source with everything in it. Its times are of few seconds, so that many are equal, and step back now and then;
// every interface of all sources has a snap length of its own, by which it can be told in the output.
Part randomPart(Random& random, uint32_t* interfaces) {
  const bool big = random.below(2) == 0;
  const uint32_t step = random.below(3) == 0 ? 0 : 2;
  uint32_t second = 1000 + static_cast<uint32_t>(random.below(20));
  const auto next = [&] {
    second += static_cast<uint32_t>(random.below(step + 1));
    if (random.below(12) == 0) second -= std::min<uint32_t>(second - 900, static_cast<uint32_t>(random.below(6)));
    return second;
  };
  const uint64_t packets = random.below(30);
  if (random.below(2) == 0) {
    Pcap form{big, random.below(2) == 0 ? pcap::kMagicMicros : pcap::kMagicNanos};
    form.snap = (*interfaces)++;
    Buffer bytes = form.header();
    for (uint64_t i = 0; i < packets; ++i) bytes = bytes + form.record(next(), 7, random.bytes(random.below(50)));
    return {bytes, random.below(2) == 0};
  }
  const Pcapng ng{big};
  uint32_t here = 0;
  const auto describe = [&] {
    ++here;
    return ng.interface(1, (*interfaces)++, ng.clock(random.below(2) == 0 ? 0 : 0x84));
  };
  Buffer bytes = ng.section() + describe();
  std::vector<bool> seconds;
  for (uint64_t i = 0; i < packets; ++i) {
    switch (random.below(10)) {
      case 0:
        bytes = bytes + ng.simple(static_cast<uint32_t>(random.below(5)), random.bytes(8));
        break;
      case 1:
        bytes = bytes + ng.block(5, random.bytes(8));
        break;
      case 2:
        bytes = bytes + describe();
        break;
      case 3:
        here = 0;
        bytes = bytes + ng.section() + describe();
        break;
      default:
        // Whole seconds of one clock, sixteenths of the other: as numbers of seconds they are far apart, and so mixed.
        bytes = bytes + ng.enhanced(static_cast<uint32_t>(random.below(here)), next(), random.bytes(random.below(50)));
    }
  }
  return {bytes, random.below(2) == 0};
}

std::vector<Part> randomParts(Random& random) {
  std::vector<Part> parts;
  uint32_t interfaces = 100;
  for (uint64_t count = 1 + random.below(6); parts.size() < count;) parts.push_back(randomPart(random, &interfaces));
  return parts;
}

MergeDrive randomDrive(Random& random) {
  MergeDrive how;
  how.budget = 1 + random.below(random.below(2) == 0 ? 2000 : 100);
  how.capacity = random.below(2000);
  how.read_bytes = 1 + random.below(random.below(2) == 0 ? 2000 : 40);
  how.chunk = 1 + random.below(300);
  how.counts_anew = random.below(2) == 0;
  return how;
}

void checkSame(const MergeOutcome& got, const MergeOutcome& want) {
  CHECK_EQ(got.status, want.status);
  CHECK(got.out == want.out);
  CHECK_EQ(got.source, want.source);
  Counts counts = got.counts;
  // Of files only; and a stream of one drive may be a file of the other.
  counts.end = want.counts.end;
  counts.section_base = want.counts.section_base;
  CHECK(sameCounts(counts, want.counts));
  CHECK(got.damage == want.damage);
}

// The snap length of each packet's interface, by which the source's interface is known.
std::vector<uint32_t> snapsOf(Bytes file) {
  Scan scan(selectAll(Format::records));
  scan.openStream(0);
  scan.feed(file, true);
  const Outcome all = drive(scan, {});
  std::vector<uint32_t> snaps;
  for (const Record& record : parseRecords(all.out))
    snaps.push_back(scan.interfaces().at(record.interface).interface.snap_length);
  return snaps;
}

}  // namespace

TEST("random sources come out as the model says, each packet on its interface") {
  Random random(21);
  for (int round = 0; round < 400; ++round) {
    CONTEXT("round " << round);
    const std::vector<Part> parts = randomParts(random);
    const std::vector<Merged> want = modelOf(parts);
    const MergeDrive how = randomDrive(random);
    const MergeOutcome got = mergeParts(parts, selectAll(Format::records), how);
    CHECK_EQ(got.status, Status::done);
    const std::vector<Record> records = parseRecords(got.out);
    CHECK_EQ(records.size(), want.size());
    CHECK_EQ(got.counts.packets_read, want.size());
    for (size_t i = 0; i < std::min(records.size(), want.size()); ++i) {
      CONTEXT("packet " << i);
      Record record = records[i];
      record.interface = want[i].record.interface;
      CHECK(record == want[i].record);
    }
    // In PCAPNG, each packet is on the interface that it was on.
    const MergeOutcome ng = mergeParts(parts, selectAll(Format::pcapng_ns), how);
    const std::vector<uint32_t> snaps = snapsOf(bytesOf(fileHeader(Format::pcapng_ns, 0) + ng.out));
    std::vector<std::vector<uint32_t>> sources;
    for (const Part& part : parts) sources.push_back(snapsOf(bytesOf(part.bytes)));
    CHECK_EQ(snaps.size(), want.size());
    for (size_t i = 0; i < std::min(snaps.size(), want.size()); ++i)
      CHECK_EQ(snaps[i], sources[want[i].source].at(want[i].record.number - 1));
  }
}

TEST("every step, buffer, read and chunk gives the same") {
  Random random(22);
  for (int round = 0; round < 60; ++round) {
    CONTEXT("round " << round);
    std::vector<Part> parts = randomParts(random);
    if (random.below(3) == 0) parts[0].bytes.resize(parts[0].bytes.size() - random.below(20));
    for (const Format format : kFormats) {
      const MergeOutcome want = mergeParts(parts, selectAll(format));
      for (int i = 0; i < 6; ++i) {
        for (Part& part : parts) part.is_stream = random.below(2) == 0;
        checkSame(mergeParts(parts, selectAll(format), randomDrive(random)), want);
      }
    }
  }
}

TEST("one source gives what a scan of it gives") {
  for (const Sample& sample : samples()) {
    CONTEXT(sample.name);
    for (const Format format : kFormats) {
      if (!sample.one_link_type && isPcap(format)) continue;
      const Outcome want = scanFile(MemoryFile(sample.bytes), selectAll(format));
      const MergeOutcome got = mergeParts({{sample.bytes}}, selectAll(format));
      CHECK_EQ(got.status, Status::done);
      CHECK(got.out == want.out);
      Counts counts = got.counts;
      counts.section_base = want.counts.section_base;
      CHECK(sameCounts(counts, want.counts));
      CHECK_EQ(got.alone, 0u);
    }
  }
}

TEST("filters and windows choose from the merged packets") {
  Random random(23);
  for (int round = 0; round < 100; ++round) {
    CONTEXT("round " << round);
    const std::vector<Part> parts = randomParts(random);
    const Nanos start = static_cast<Nanos>(1000 + random.below(30)) * kNanosPerSecond;
    const Window window{start, start + static_cast<Nanos>(random.below(20)) * kNanosPerSecond};
    const MergeOutcome got = mergeParts(parts, selectEven(Format::records, {1}, {window}), randomDrive(random));
    std::vector<Record> want;
    for (const Merged& one : modelOf(parts)) {
      const Int128 time = timeOf(one.record);
      if (one.record.has_time && time >= window.start && time < window.end && one.record.wirelen % 2 == 0)
        want.push_back(one.record);
    }
    const std::vector<Record> records = parseRecords(got.out);
    CHECK_EQ(records.size(), want.size());
    for (size_t i = 0; i < std::min(records.size(), want.size()); ++i) {
      CHECK(records[i].data == want[i].data);
      CHECK_EQ(records[i].number, want[i].number);
    }
  }
}

TEST("alone: the last that is left can go on by itself and give the same, where it has a place") {
  Random random(24);
  size_t taken = 0, kept = 0, waiting = 0;
  for (int round = 0; round < 300; ++round) {
    CONTEXT("round " << round);
    std::vector<Part> parts = randomParts(random);
    for (Part& part : parts) part.is_stream = false;
    for (const Format format : {Format::pcapng_ns, Format::pcap_ns}) {
      const Buffer want = mergeParts(parts, selectAll(format)).out;
      MergeDrive how = randomDrive(random);
      how.go_on = [&](const Merge& merge) {
        if (merge.source() == Merge::kNoSource) ++waiting;
        else CHECK(!merge.over(merge.source()));
        size_t left = 0;
        for (uint32_t i = 0; i < merge.sources(); ++i) left += !merge.over(i);
        CHECK(left > 0);
        return left > 1 || merge.source() == Merge::kNoSource;
      };
      MergeRun run(parts, selectAll(format), how);
      const MergeOutcome got = run.run();
      if (got.status != Status::alone) continue;
      const auto place = run.merge().place(got.source);
      if (!place) {
        ++kept;
        continue;
      }
      ++taken;
      Scan scan(selectAll(format));
      const MemoryFile& file = run.file(got.source);
      CHECK(scan.openRange(file.fd(), place->offset, file.size(), bytesOf(place->state), false, place->interface_base));
      const Outcome rest = drive(scan, {});
      CHECK_EQ(rest.status, Status::done);
      CHECK(got.out + rest.out == want);
    }
  }
  CHECK(taken > 100);
  CHECK(kept > 20);
  CHECK(waiting > 20);
}

TEST("lanes give what whole sources give, wherever they are cut and however long they are idle") {
  Random random(26);
  size_t asked = 0, idle = 0, alone = 0;
  for (int round = 0; round < 400; ++round) {
    CONTEXT("round " << round);
    std::vector<Part> parts = randomParts(random);
    // Damage is the same, but it is not the end of a lane.
    if (random.below(3) == 0) parts[0].bytes.resize(parts[0].bytes.size() - random.below(20));
    const Format format = kFormats[random.below(std::size(kFormats))];
    const MergeOutcome want = mergeParts(parts, selectAll(format), randomDrive(random));
    for (int i = 0; i < 4; ++i) {
      for (Part& part : parts)
        part.cuts = !part.is_stream && random.below(4) != 0 ? someCutsOf(part.bytes, random) : std::vector<Cut>{};
      MergeDrive how = randomDrive(random);
      how.idle = [&](Nanos until) -> std::optional<Nanos> {
        if (random.below(3) == 0) return std::nullopt;
        ++idle;
        const auto earlier = static_cast<Nanos>(random.below(4)) * kNanosPerSecond;
        return until < kNanosMin + earlier ? kNanosMin : until - earlier;
      };
      const MergeOutcome got = mergeParts(parts, selectAll(format), how);
      checkSame(got, want);
      asked += got.asked;
      alone += got.alone;
    }
  }
  CHECK(asked > 10000);
  CHECK(idle > 10000);
  CHECK(alone > 1000);
}

TEST("where all others are over, a lane can go on by itself with the interfaces that it has") {
  Random random(27);
  size_t taken = 0;
  for (int round = 0; round < 400; ++round) {
    CONTEXT("round " << round);
    std::vector<Part> parts = randomParts(random);
    const auto lane = static_cast<uint32_t>(random.below(parts.size()));
    parts[lane].is_stream = false;
    const Buffer want = mergeParts(parts, selectAll(Format::pcapng_ns)).out;
    parts[lane].cuts = someCutsOf(parts[lane].bytes, random);
    MergeDrive how = randomDrive(random);
    MergeRun run(parts, selectAll(Format::pcapng_ns), how);
    const auto goesOn = [&](const Merge& merge) {
      const Cut* cut = run.next(lane);
      if (merge.asked() != lane || !cut || cut->offset == 0) return true;
      for (uint32_t i = 0; i < merge.sources(); ++i)
        if (i != lane && !merge.over(i)) return true;
      SourceReader reader;
      CHECK(reader.restore(bytesOf(cut->state)));
      // More that it describes must follow its own.
      const auto base = merge.interfaceBase(lane);
      CHECK_EQ(base.has_value(), reader.interfaceCount() != 0);
      return !base || (!reader.pcap && *base + reader.interfaceCount() != merge.counts().interface_count);
    };
    how.go_on = goesOn;
    const MergeOutcome got = run.run();
    if (got.status != Status::need_next) continue;
    ++taken;
    Scan scan(selectAll(Format::pcapng_ns));
    const MemoryFile whole(parts[lane].bytes);
    CHECK(scan.openRange(whole.fd(), run.next(lane)->offset, whole.size(), bytesOf(run.next(lane)->state), false,
                         *run.merge().interfaceBase(lane)));
    CHECK(got.out + drive(scan, {}).out == want);
  }
  CHECK(taken > 100);
}

TEST("a thousand sources, each read little at a time") {
  std::vector<Part> parts;
  Random random(25);
  for (int i = 0; i < 1024; ++i) {
    Pcap form;
    Buffer bytes = form.header();
    uint32_t second = static_cast<uint32_t>(random.below(1000));
    for (uint64_t n = random.below(8); n != 0; --n)
      bytes =
          bytes + form.record(second += static_cast<uint32_t>(random.below(200)), 0, random.bytes(random.below(80)));
    parts.push_back({bytes, random.below(4) == 0});
  }
  const std::vector<Merged> want = modelOf(parts);
  const MergeOutcome got = mergeParts(parts, selectAll(Format::records));
  const std::vector<Record> records = parseRecords(got.out);
  CHECK_EQ(records.size(), want.size());
  for (size_t i = 0; i < std::min(records.size(), want.size()); ++i) CHECK(records[i].data == want[i].record.data);
}

}  // namespace spillway::test
