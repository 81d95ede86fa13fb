// Several sources in one output: the order, what is kept of each, and what ends one or all of them.
#include "scan/merge.h"

#include "capture.h"
#include "check.h"
#include "merging.h"

namespace spillway::test {
namespace {

// Packets at these seconds; their bytes tell file and position.
Buffer pcapAt(uint8_t file, std::initializer_list<uint32_t> seconds, const Pcap& form = {}) {
  Buffer bytes = form.header();
  uint8_t n = 0;
  for (const uint32_t second : seconds) bytes = bytes + form.record(second, 0, Buffer{file, n++});
  return bytes;
}

// "a0 b0 a1": the sources and positions of what came out, in order.
std::string orderOf(const Buffer& records) {
  std::string text;
  for (const Record& record : parseRecords(records)) {
    if (!text.empty()) text += ' ';
    text += static_cast<char>(record.data.at(0));
    text += std::to_string(record.data.at(1));
  }
  return text;
}

std::string merged(const std::vector<Part>& parts) {
  const MergeOutcome got = mergeParts(parts, selectAll(Format::records));
  CHECK_EQ(got.status, Status::done);
  CHECK(got.damage.empty());
  return orderOf(got.out);
}

}  // namespace

TEST("the smallest of the heads comes next, of equal ones that of the source added first") {
  CHECK_EQ(merged({{pcapAt('a', {1, 3, 5})}, {pcapAt('b', {2, 4})}}), "a0 b0 a1 b1 a2");
  CHECK_EQ(merged({{pcapAt('a', {1, 2, 2, 3})}, {pcapAt('b', {2, 3})}}), "a0 a1 a2 b0 a3 b1");
  CHECK_EQ(merged({{pcapAt('b', {2, 3})}, {pcapAt('a', {1, 2, 2, 3})}}), "a0 b0 a1 a2 b1 a3");
  CHECK_EQ(merged({{pcapAt('a', {7})}, {pcapAt('b', {7})}, {pcapAt('c', {7})}}), "a0 b0 c0");
  CHECK_EQ(merged({{pcapAt('a', {})}, {pcapAt('b', {1})}}), "b0");
  CHECK_EQ(merged({}), "");
}

TEST("a source's own order stays where its times step back") {
  CHECK_EQ(merged({{pcapAt('a', {5, 1, 6})}, {pcapAt('b', {2, 7})}}), "b0 a0 a1 a2 b1");
  CHECK_EQ(merged({{pcapAt('a', {1, 9, 2, 3})}, {pcapAt('b', {4, 5})}}), "a0 b0 b1 a1 a2 a3");
}

TEST("a packet without a time follows the one before it, and at the start comes before all") {
  const Pcapng ng;
  const auto enhanced = [&](uint64_t second, uint8_t n) { return ng.enhanced(0, second, Buffer{'n', n}); };
  const auto simple = [&](uint8_t n) { return ng.simple(2, Buffer{'n', n}); };
  const Buffer start = ng.section() + ng.interface(1, 0, ng.clock(0));
  const Buffer timeless = start + enhanced(3, 0) + simple(1) + simple(2) + enhanced(5, 3);
  CHECK_EQ(merged({{pcapAt('a', {1, 3, 4})}, {timeless}}), "a0 a1 n0 n1 n2 a2 n3");
  CHECK_EQ(merged({{timeless}, {pcapAt('a', {1, 3, 4})}}), "a0 n0 n1 n2 a1 a2 n3");
  CHECK_EQ(merged({{pcapAt('a', {1, 3})}, {start + simple(0) + simple(1) + enhanced(2, 2)}}), "n0 n1 a0 n2 a1");
  CHECK_EQ(merged({{pcapAt('a', {1})}, {start + simple(0)}}), "n0 a0");
  // Also where the others have times before 1970.
  const Buffer early = ng.section() + ng.interface(1, 0, ng.clock(0, -100));
  const auto before = [&](uint64_t second, uint8_t n) { return ng.enhanced(0, second, Buffer{'e', n}); };
  CHECK_EQ(merged({{early + before(10, 0) + before(30, 1)},
                   {early + ng.enhanced(0, 20, Buffer{'n', 0}) + simple(1) + ng.enhanced(0, 40, Buffer{'n', 2})}}),
           "e0 n0 n1 e1 n2");
}

TEST("interfaces are described when their source's turn comes, and numbered through") {
  const Pcapng ng, big{true};
  const auto at = [&](const Pcapng& by, uint32_t interface, uint64_t second, uint8_t tag) {
    return by.enhanced(interface, second * 1'000'000, Buffer{tag});
  };
  const Buffer one = ng.section() + ng.interface(1, 11) + at(ng, 0, 1, 'a') + at(ng, 0, 4, 'b') + ng.interface(2, 12) +
                     at(ng, 1, 6, 'c') + at(ng, 0, 6, 'd');
  const Buffer two = big.section() + big.interface(3, 21) + big.interface(4, 22) + at(big, 1, 3, 'p') + big.section() +
                     big.interface(5, 23) + at(big, 0, 5, 'q') + big.interface(6, 24);
  const Buffer us = ng.clock(6);
  const Buffer want = ng.interface(1, 11, us) + at(ng, 0, 1, 'a') + ng.interface(3, 21, us) + ng.interface(4, 22, us) +
                      // Behind a packet stands what follows it in its source.
                      at(ng, 2, 3, 'p') + ng.interface(5, 23, us) + at(ng, 0, 4, 'b') + ng.interface(2, 12, us) +
                      at(ng, 3, 5, 'q') + ng.interface(6, 24, us) + at(ng, 4, 6, 'c') + at(ng, 0, 6, 'd');
  // Nothing in it depends on the order in which they were named.
  for (const auto& parts : {std::vector<Part>{{one}, {two}}, std::vector<Part>{{two}, {one}}}) {
    const MergeOutcome got = mergeParts(parts, selectAll(Format::pcapng_us));
    CHECK_EQ(got.out, want);
    CHECK_EQ(got.counts.interface_count, 6u);
  }
  MergeDrive how;
  const std::vector<Part> parts = {{two}};
  const MergeOutcome later = MergeRun(parts, selectAll(Format::pcapng_us), how, 7).run();
  CHECK_EQ(later.counts.interface_count, 11u);
  CHECK_EQ(load32(&later.out[later.out.size() - ng.interface(6, 24, us).size() - at(ng, 0, 5, 'q').size() + 8]), 9u);
}

TEST("stop rules hold for all sources together, and nothing is read beyond them") {
  const std::vector<Part> parts = {{pcapAt('a', {1, 3, 5, 7})}, {pcapAt('b', {2, 4, 6})}};
  for (uint64_t packets = 0; packets <= 8; ++packets) {
    CONTEXT(packets << " packets");
    MergeDrive how;
    how.limits.packets = packets;
    const MergeOutcome got = mergeParts(parts, selectAll(Format::records), how);
    CHECK_EQ(parseRecords(got.out).size(), std::min<uint64_t>(packets, 7));
    CHECK_EQ(got.status, packets <= 7 ? Status::limit : Status::done);
    CHECK_EQ(got.counts.packets_read, std::min<uint64_t>(packets, 7));
    if (packets <= 7) CHECK_EQ(got.counts.detail, 1);
  }
  MergeDrive bytes;
  bytes.limits.captured_bytes = 7;
  const MergeOutcome some = mergeParts(parts, selectAll(Format::records), bytes);
  CHECK_EQ(orderOf(some.out), "a0 b0 a1");
  CHECK_EQ(some.counts.detail, 2);
  MergeDrive duration;
  duration.limits.duration = 3 * kNanosPerSecond;
  const MergeOutcome first = mergeParts(parts, selectAll(Format::records), duration);
  CHECK_EQ(orderOf(first.out), "a0 b0 a1");
  CHECK_EQ(first.counts.detail, 3);
}

TEST("a damaged source gives its whole packets, and the others go on") {
  const Buffer cut = [] {
    Buffer bytes = pcapAt('a', {1, 3, 5});
    bytes.pop_back();
    return bytes;
  }();
  Buffer wrong = pcapAt('b', {2, 4, 6});
  std::fill_n(wrong.begin() + 24 + 18 + 8, 4, 0xff);  // the second packet's captured length
  const std::vector<MergeDamage> both = {
      {1, 24 + 18, "captured length 4294967295 is more than the 262144 bytes a packet of this file may have"},
      {0, 24 + 36, "the file ends inside a packet"}};
  for (const bool is_stream : {false, true}) {
    const MergeOutcome got = mergeParts({{cut, is_stream}, {wrong, is_stream}, {pcapAt('c', {1, 9}), is_stream}},
                                        selectAll(Format::records));
    CHECK_EQ(got.status, Status::done);
    CHECK_EQ(orderOf(got.out), "a0 c0 b0 a1 c1");
    CHECK(got.damage == both);
  }
  const Pcapng ng;
  const MergeOutcome headers = mergeParts({{Buffer{}},
                                           {Buffer(30, 'x')},
                                           {Pcap{}.header() + Buffer(3, 0)},
                                           {ng.section() + ng.enhanced(0, 1, {})},
                                           {pcapAt('z', {1})}},
                                          selectAll(Format::records));
  CHECK_EQ(orderOf(headers.out), "z0");
  std::vector<std::string> texts;
  for (const MergeDamage& one : headers.damage) texts.push_back(one.text);
  CHECK_EQ(texts.size(), 4u);
  CHECK_EQ(texts.at(0), "the file is empty");
  CHECK_EQ(texts.at(1), "not a capture file: it begins with neither a pcap nor a PCAPNG magic number");
  CHECK_EQ(texts.at(2), "the file ends inside a packet");
  CHECK_EQ(texts.at(3), "a packet names interface 0, and the section has 0");
}

TEST("a stream's own fault is named where what was fed ends") {
  const Buffer whole = pcapAt('a', {1, 3});
  for (const size_t fed : {size_t{24 + 18}, size_t{24 + 20}, size_t{10}}) {
    CONTEXT(fed << " bytes");
    Merge merge(selectAll(Format::records), 0, -1);
    merge.addStream(kNanosPerSecond);
    const Buffer piece(whole.begin(), whole.begin() + static_cast<long>(fed));
    merge.feed(0, bytesOf(piece), false);
    Buffer out(1000);
    CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::need_input);
    CHECK_EQ(merge.source(), 0u);
    CHECK(merge.takesFeed(0));
    merge.fault(0, "the gzip data is damaged");
    CHECK(!merge.takesFeed(0));
    CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::damage);
    CHECK_EQ(merge.damageText(), "the gzip data is damaged");
    CHECK_EQ(merge.counts().detail_offset, fed < 24 ? 0u : 24u + 18u);
    CHECK(merge.over(0));
    CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::done);
  }
}

TEST("a stream may be fed while its next packet waits") {
  Merge merge(selectAll(Format::records), 0, -1);
  merge.addStream(kNanosPerSecond);
  merge.addStream(2 * kNanosPerSecond);
  const Buffer a = pcapAt('a', {1, 3}), b = pcapAt('b', {2, 4});
  Buffer out(1000);
  merge.feed(0, bytesOf(a), false);
  CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::need_input);
  CHECK_EQ(merge.source(), 1u);
  CHECK_EQ(orderOf({out.begin(), out.begin() + static_cast<long>(merge.outLength())}), "a0");
  // Its bytes move.
  merge.feed(0, bytesOf(Buffer(100000, 0xff)), true);
  merge.feed(1, bytesOf(b), true);
  CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::damage);
  CHECK_EQ(orderOf({out.begin(), out.begin() + static_cast<long>(merge.outLength())}), "b0 a1");
}

TEST("what can not be written is told with its source") {
  const std::vector<Part> parts = {{pcapAt('a', {1, 3})},
                                   {pcapAt('b', {2}, {false, pcap::kMagicMicros, 2, 4, 0, 101})}};
  const MergeOutcome mixed = mergeParts(parts, selectAll(Format::pcap_us));
  CHECK_EQ(mixed.status, Status::mixed_link_types);
  CHECK_EQ(mixed.source, 1u);
  CHECK_EQ(mixed.counts.detail, 101);
  CHECK_EQ(mixed.counts.detail_offset, 24u);
  CHECK_EQ(mixed.counts.packets_out, 1u);
  CHECK_EQ(mergeParts(parts, selectAll(Format::pcapng_us)).counts.packets_out, 3u);

  const Pcapng ng;
  const Buffer early = ng.section() + ng.interface(1, 0, ng.clock(6, -10)) + ng.enhanced(0, 20'000'000, payload(1)) +
                       ng.enhanced(0, 5'000'000, payload(2));
  const MergeOutcome before_1970 = mergeParts({{pcapAt('a', {1, 30})}, {early}}, selectAll(Format::pcap_ns));
  CHECK_EQ(before_1970.status, Status::time_range);
  CHECK_EQ(before_1970.source, 1u);
  CHECK_EQ(before_1970.counts.packets_out, 2u);
}

TEST("the link type of what is in the output already counts") {
  const Buffer file = pcapAt('a', {1});
  for (const int64_t link_type : {-1, 1, 113}) {
    Merge merge(selectAll(Format::pcap_us), 0, link_type);
    const MemoryFile memory(file);
    CHECK(merge.addRange(memory.fd(), 0, memory.size(), {}, 0, kNanosPerSecond, 100));
    Buffer out(100);
    CHECK_EQ(merge.step(out.data(), out.size(), 1000), link_type == 113 ? Status::mixed_link_types : Status::done);
    merge.startCounts();
    CHECK_EQ(merge.counts().link_type_out, link_type < 0 ? 1 : link_type);
  }
}

TEST("a missing program stops before its packet, and the merge goes on with another selection") {
  const std::vector<Part> parts = {{pcapAt('a', {1, 3})},
                                   {pcapAt('b', {2, 4}, {false, pcap::kMagicMicros, 2, 4, 0, 101})}};
  const MergeOutcome stopped = mergeParts(parts, selectEven(Format::records, {1}));
  CHECK_EQ(stopped.status, Status::need_program);
  CHECK_EQ(stopped.source, 1u);
  CHECK_EQ(stopped.counts.detail, 101);
  CHECK_EQ(orderOf(stopped.out), "a0");
  MergeDrive how;
  std::vector<uint32_t> known;
  how.more_programs = [&](uint32_t link_type) {
    known.push_back(link_type);
    return selectEven(Format::records, known);
  };
  const MergeOutcome got = mergeParts(parts, selectEven(Format::records, {}), how);
  CHECK_EQ(got.status, Status::done);
  CHECK_EQ(orderOf(got.out), "a0 b0 a1 b1");
  CHECK(known == (std::vector<uint32_t>{1, 101}));
}

TEST("a file that can not be read is told with errno") {
  Merge merge(selectAll(Format::records), 0, -1);
  const MemoryFile good(pcapAt('a', {1, 9}));
  CHECK(merge.addRange(good.fd(), 0, good.size(), {}, 0, kNanosPerSecond, 100));
  CHECK(merge.addRange(1'000'000, 0, 100, {}, 0, 2 * kNanosPerSecond, 100));
  Buffer out(1000);
  CHECK_EQ(merge.step(out.data(), out.size(), 1000), Status::io_error);
  CHECK_EQ(merge.source(), 1u);
  CHECK_EQ(merge.counts().detail, 9);
  CHECK_EQ(merge.counts().packets_out, 1u);
}

TEST("a source is added from a place, and only with a state") {
  Merge merge(selectAll(Format::records), 0, -1);
  const MemoryFile file(pcapAt('a', {1, 3}));
  CHECK(!merge.addRange(file.fd(), 24, file.size(), {}, 0, kNanosMin, 100));
  const Buffer junk(7, 9);
  CHECK(!merge.addRange(file.fd(), 24, file.size(), bytesOf(junk), 0, kNanosMin, 100));
  CHECK_EQ(merge.sources(), 0u);
}

TEST("interfaces are at most as many as an output holds") {
  const Pcapng ng;
  Buffer one = ng.section() + ng.interface(1) + ng.enhanced(0, 1, Buffer{'a', 0});
  for (int i = 0; i < 3; ++i) one = one + ng.interface(1);
  one = one + ng.enhanced(0, 9, Buffer{'a', 1});
  const std::vector<Part> parts = {{one}, {pcapAt('b', {7})}};
  MergeDrive how;
  const MergeOutcome fits = MergeRun(parts, selectAll(Format::records), how, limits::kMaxInterfaces - 5).run();
  CHECK(fits.damage.empty());
  const MergeOutcome over = MergeRun(parts, selectAll(Format::records), how, limits::kMaxInterfaces - 3).run();
  CHECK_EQ(orderOf(over.out), "a0");
  CHECK_EQ(over.damage.size(), 2u);
  for (const MergeDamage& one : over.damage) CHECK_EQ(one.text, "more than 65536 interfaces are described");
}

TEST("a place is given only where interfaces go on by themselves") {
  const Pcapng ng;
  const auto source = [&](uint8_t tag, std::initializer_list<uint64_t> seconds) {
    Buffer bytes = ng.section() + ng.interface(1, 0, ng.clock(0));
    uint8_t n = 0;
    for (const uint64_t second : seconds) bytes = bytes + ng.enhanced(0, second, Buffer{tag, n++});
    return bytes;
  };
  const auto placeOf = [&](const std::vector<Part>& parts) {
    MergeDrive how;
    how.go_on = [](const Merge&) { return false; };
    MergeRun run(parts, selectAll(Format::pcapng_ns), how);
    CHECK_EQ(run.run().status, Status::alone);
    return run.merge().place(run.merge().source());
  };
  // The one that is left was described last, and can describe more.
  const auto last = placeOf({{source('a', {1, 3})}, {source('b', {2, 5})}});
  CHECK(last.has_value());
  CHECK_EQ(last->interface_base, 1u);
  CHECK_EQ(last->offset,
           ng.section().size() + ng.interface(1, 0, ng.clock(0)).size() + ng.enhanced(0, 2, {'b', 0}).size());
  // It was described before the other: interfaces that are still to come would not follow its own.
  CHECK(!placeOf({{source('a', {1, 5})}, {source('b', {2, 3})}}));
  // A pcap file describes none.
  CHECK(placeOf({{pcapAt('a', {1, 5})}, {source('b', {2, 3})}}).has_value());
  // A stream can not be read from a place.
  CHECK(!placeOf({{pcapAt('a', {1, 5}), true}, {source('b', {2, 3})}}));
  // PCAP has no numbers, and any place will do.
  MergeDrive how;
  how.go_on = [](const Merge&) { return false; };
  const std::vector<Part> parts = {{source('a', {1, 5})}, {source('b', {2, 3})}};
  MergeRun run(parts, selectAll(Format::pcap_ns), how);
  CHECK_EQ(run.run().status, Status::alone);
  CHECK_EQ(run.merge().place(0)->interface_base, 1u);
}

}  // namespace spillway::test
