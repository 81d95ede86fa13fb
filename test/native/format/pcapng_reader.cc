// The PCAPNG reader on well-formed files: every kind of block in both byte orders, and files cut at every byte.
#include "format/pcapng_reader.h"

#include "capture.h"
#include "check.h"
#include "format/walk.h"

namespace spillway::test {

TEST("an enhanced packet") {
  for (const bool big : {false, true}) {
    CONTEXT((big ? "big" : "little"));
    const Pcapng ng{big};
    const Buffer options = ng.option(1, {'x'}) + ng.end();
    const Walked walk(ng.section() + ng.interface(113, 96, ng.clock(9)) + ng.interface(1, 0) +
                      ng.enhanced(1, 0x0000000100000002, 5, 1500, payload(5), options) +
                      ng.enhanced(0, 1700000000'000000007, payload(8)) + ng.enhanced(0, 0, Buffer{}));
    CHECK_EQ(walk.end, Next::need_more);
    CHECK(walk.kinds ==
          (std::vector{Next::section, Next::interface, Next::interface, Next::packet, Next::packet, Next::packet}));
    CHECK_EQ(walk.reader.interfaces().size(), 2u);
    CHECK_EQ(walk.reader.interfaces()[0].link_type, 113u);
    CHECK_EQ(walk.reader.interfaces()[0].snap_length, 96u);
    CHECK_EQ(walk.reader.swapped(), big);
    const Packet& first = walk.packets[0];
    CHECK_EQ(first.interface, 1u);
    CHECK_EQ(first.caplen, 5u);
    CHECK_EQ(first.wirelen, 1500u);
    CHECK_EQ(first.time, 0x0000000100000002ll * 1000);
    CHECK_EQ(copyOf({first.data, first.caplen}), payload(5));
    CHECK_EQ(copyOf(first.options), options);
    CHECK_EQ(first.verbatim, Format::none);
    CHECK(first.has_time);
    const Packet& second = walk.packets[1];
    CHECK_EQ(second.time, 1700000000'000000007ll);
    CHECK(second.options.empty());
    CHECK_EQ(second.verbatim, big ? Format::none : Format::pcapng_ns);
    CHECK_EQ(walk.packets[2].caplen, 0u);
  }
}

TEST("which blocks are what a writer would write") {
  const Pcapng ng;
  const struct {
    Buffer interface;
    Format want;
  } cases[] = {
      {ng.interface(1), Format::pcapng_us},
      {ng.interface(1, 0, ng.clock(6)), Format::pcapng_us},
      {ng.interface(1, 0, ng.clock(9)), Format::pcapng_ns},
      {ng.interface(1, 0, ng.clock(3)), Format::none},
      {ng.interface(1, 0, ng.clock(0x86)), Format::none},
      {ng.interface(1, 0, ng.clock(0x89)), Format::none},
      {ng.interface(1, 0, ng.clock(9, 1)), Format::none},
      {ng.interface(1, 0, ng.option(9, {9, 9})), Format::pcapng_us},  // of the wrong length: no such option
  };
  for (const auto& one : cases) {
    const Walked walk(ng.section() + one.interface + ng.enhanced(0, 1, payload(4)));
    CHECK_EQ(walk.packets.size(), 1u);
    CHECK_EQ(walk.packets[0].verbatim, one.want);
  }
}

TEST("a simple packet has no time, and is cut by the snap length alone") {
  const struct {
    uint32_t snap, wirelen, data, caplen;
    Next want;
  } cases[] = {
      {0, 5, 5, 5, Next::packet},          {0, 0, 0, 0, Next::packet},      {4, 100, 4, 4, Next::packet},
      {4, 3, 3, 3, Next::packet},          {100, 60, 60, 60, Next::packet}, {0, 5, 4, 0, Next::damage},
      {8, 0xffffffff, 8, 8, Next::packet}, {8, 9, 4, 0, Next::damage},      {0, 0xffffffff, 8, 0, Next::damage},
      {0, 3, 8, 3, Next::packet},  // more room than is needed
  };
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    for (const auto& one : cases) {
      CONTEXT("snap " << one.snap << ", wirelen " << one.wirelen << ", data " << one.data);
      const Walked walk(ng.section() + ng.interface(1, one.snap) + ng.simple(one.wirelen, payload(one.data)));
      CHECK_EQ(walk.end, one.want == Next::packet ? Next::need_more : one.want);
      if (one.want != Next::packet) continue;
      const Packet& packet = walk.packets.at(0);
      CHECK_EQ(packet.caplen, one.caplen);
      CHECK_EQ(packet.wirelen, one.wirelen);
      CHECK(!packet.has_time);
      CHECK_EQ(packet.time, 0);
      CHECK_EQ(packet.verbatim, Format::none);
      CHECK(packet.options.empty());
    }
  }
}

TEST("an obsolete packet brings its drop count") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    const Buffer options = ng.option(2, {1, 2, 3, 4});
    const Walked walk(ng.section() + ng.interface(1) + ng.interface(1) +
                      ng.obsolete(1, 7, 0x100000000, 6, 60, payload(6), options) +
                      ng.obsolete(0, 0xffff, 5, 4, 4, payload(4)) + ng.obsolete(0, 0, 5, 4, 4, payload(4)) +
                      ng.enhanced(0, 5, payload(4)) + ng.obsolete(2, 0, 5, 4, 4, payload(4)));
    CHECK_EQ(walk.packets.size(), 4u);
    CHECK_EQ(walk.packets[0].interface, 1u);
    CHECK_EQ(walk.packets[0].dropped, 7u);
    CHECK(walk.packets[0].block_drops);
    CHECK_EQ(walk.packets[0].time, 0x100000000 * 1000);
    CHECK_EQ(walk.packets[0].caplen, 6u);
    CHECK_EQ(walk.packets[0].wirelen, 60u);
    CHECK_EQ(copyOf(walk.packets[0].options), options);
    CHECK_EQ(walk.packets[0].verbatim, Format::none);
    CHECK(!walk.packets[1].block_drops);  // 0xffff: not known
    CHECK_EQ(walk.packets[1].dropped, 0u);
    CHECK(walk.packets[2].block_drops);
    CHECK(!walk.packets[3].block_drops);  // nothing is left of the packet before
    CHECK_EQ(walk.end, Next::damage);
    CHECK(walk.reader.damageText().find("interface 2") != std::string::npos);
  }
}

TEST("other blocks are skipped") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    Buffer file = ng.section() + ng.interface(1);
    const uint32_t types[] = {0, 4, 5, 7, 8, 9, 10, 0xbad, 0x40000bad, 0x80000001, 0xffffffff, 0x7fffffff};
    for (const uint32_t type : types) file = file + ng.block(type, {}) + ng.block(type, payload(16));
    const Walked walk(file + ng.enhanced(0, 1, payload(4)));
    CHECK_EQ(walk.end, Next::need_more);
    CHECK_EQ(walk.packets.size(), 1u);
    CHECK_EQ(static_cast<size_t>(std::count(walk.kinds.begin(), walk.kinds.end(), Next::skipped)),
             2 * std::size(types));
  }
}

TEST("a section changes the byte order and starts the interfaces anew") {
  const Pcapng little, big{true};
  const Walked walk(little.section() + little.interface(1) + little.interface(2) + little.enhanced(1, 1, payload(4)) +
                    big.section() + big.interface(3) + big.enhanced(0, 1, payload(4)) + little.section() +
                    little.interface(4) + little.enhanced(0, 1, payload(4)) + little.section() +
                    little.enhanced(0, 1, payload(4)));
  CHECK_EQ(walk.packets.size(), 3u);
  CHECK(walk.link_types == (std::vector<uint32_t>{2, 3, 4}));
  CHECK_EQ(walk.end, Next::damage);  // the last section describes none
  CHECK(walk.reader.damageText().find("interface 0, and the section has 0") != std::string::npos);
}

TEST("the first section gives the version") {
  const Pcapng ng;
  const Walked walk(ng.section({}, 1, 2) + ng.section({}, 1, 0));
  CHECK_EQ(walk.end, Next::need_more);
  CHECK_EQ(walk.reader.versionMajor(), 1);
  CHECK_EQ(walk.reader.versionMinor(), 2);
}

TEST("a file cut at every byte gives what stands before the cut") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big}, other{!big};
    const Buffer parts[] = {ng.section(ng.option(2, payload(3))),
                            ng.interface(1, 0, ng.clock(9)),
                            ng.enhanced(0, 1, payload(5)),
                            ng.simple(6, payload(6)),
                            ng.block(0xbad, payload(8)),
                            ng.obsolete(0, 1, 2, 3, 3, payload(3)),
                            other.section(),
                            other.interface(1),
                            other.enhanced(0, 1, payload(7))};
    Buffer file;
    std::vector<size_t> ends;
    for (const Buffer& part : parts) {
      file = file + part;
      ends.push_back(file.size());
    }
    for (size_t size = 0; size <= file.size(); ++size) {
      CONTEXT("cut to " << size);
      const Walked walk(Buffer(file.begin(), file.begin() + static_cast<long>(size)));
      CHECK_EQ(walk.end, Next::need_more);
      CHECK_EQ(walk.kinds.size(), static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), size) - ends.begin()));
    }
  }
}

TEST("the state at a boundary goes on like the reader that gave it") {
  for (const bool big : {false, true}) {
    const Pcapng ng{big};
    const Buffer head = ng.section() + ng.interface(1, 77, ng.clock(0x8a, -3)) + ng.interface(2, 0, ng.clock(9));
    const Buffer tail = ng.enhanced(0, 12345, payload(9)) + ng.enhanced(1, 777, payload(3)) + ng.interface(3) +
                        ng.enhanced(2, 8, payload(2));
    const Walked whole(head + tail);
    const Walked first(head);
    PcapngReader reader;
    reader.restore(first.reader.swapped(), first.reader.interfaces());
    const Walked rest(tail, std::move(reader));
    CHECK_EQ(rest.packets.size(), 3u);
    CHECK(rest.link_types == whole.link_types);
    for (size_t i = 0; i < 3; ++i) {
      CHECK_EQ(rest.packets[i].time, whole.packets[i].time);
      CHECK_EQ(rest.packets[i].verbatim, whole.packets[i].verbatim);
    }
  }
}

TEST("an interface that is taken back is read again") {
  const Pcapng ng;
  const Exact block(ng.interface(5, 6, ng.clock(9)));
  PcapngReader reader;
  reader.restore(false, {Interface{1, 0, {}, 0}});
  Packet packet;
  for (int round = 0; round < 3; ++round) {
    CHECK_EQ(reader.next(block.data(), block.size(), &packet), Next::interface);
    CHECK_EQ(reader.interfaces().size(), 2u);
    if (round < 2) reader.forgetInterface();
  }
  const Exact data(ng.enhanced(1, 3, payload(1)));
  CHECK_EQ(reader.next(data.data(), data.size(), &packet), Next::packet);
  CHECK_EQ(packet.time, 3);
}

}  // namespace spillway::test
