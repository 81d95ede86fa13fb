// The pcap reader: one table of cases in both byte orders and all three forms, and what is refused.
#include "format/pcap_reader.h"

#include "capture.h"
#include "check.h"

namespace spillway::test {
namespace {

std::vector<Pcap> forms() {
  std::vector<Pcap> all;
  for (const bool big : {false, true})
    for (const uint32_t magic : {pcap::kMagicMicros, pcap::kMagicNanos, pcap::kMagicModified})
      all.push_back({big, magic});
  return all;
}

PcapReader::Header headerOf(const Pcap& file) {
  PcapReader::Header header;
  std::string damage;
  const Exact bytes(file.header());
  CHECK(PcapReader::recognises(bytes.bytes()));
  CHECK_EQ(PcapReader::readHeader(bytes.bytes(), &header, &damage), Next::section);
  return header;
}

// The answer for one record in a block of just its bytes.
Next read(const Pcap& file, const Buffer& record, Packet* packet, Exact* kept = nullptr) {
  PcapReader reader(headerOf(file));
  Exact block(record);
  const Next next = reader.next(block.data(), block.size(), packet);
  if (kept) *kept = std::move(block);
  return next;
}

}  // namespace

TEST("a record in every form") {
  for (const Pcap& file : forms()) {
    CONTEXT("magic " << std::hex << file.magic << (file.big ? " big" : " little"));
    const bool nanos = file.magic == pcap::kMagicNanos;
    const struct {
      uint32_t seconds, fraction;
      uint32_t size, wirelen;
    } cases[] = {
        {0, 0, 0, 0},
        {1, 999999, 1, 1},
        {1700000000, nanos ? 999999999u : 999999u, 60, 1514},
        {0xffffffff, 0, 33, 0xffffffff},
        {0x7fffffff, 1, 5, 3},  // longer than on the wire: kept
        {0x80000000, 1000000, 4, 4},
        {7, 0xffffffff, 4, 4},
    };
    for (const auto& one : cases) {
      CONTEXT("seconds " << one.seconds << ", fraction " << one.fraction);
      Packet packet;
      Exact block(Buffer{});
      const Buffer data = payload(one.size);
      CHECK_EQ(read(file, file.record(one.seconds, one.fraction, one.size, one.wirelen, data), &packet, &block),
               Next::packet);
      CHECK_EQ(packet.caplen, one.size);
      CHECK_EQ(packet.wirelen, one.wirelen);
      CHECK_EQ(copyOf({packet.data, packet.caplen}), data);
      const int64_t tick = nanos ? 1 : 1000;
      CHECK_EQ(packet.time, one.seconds * kNanosPerSecond + one.fraction * tick);
      CHECK(packet.has_time);
      CHECK(!packet.time_clamped);
      CHECK_EQ(packet.odd_time, one.fraction * tick >= kNanosPerSecond);
      if (packet.odd_time) {
        CHECK_EQ(packet.odd_seconds, one.seconds);
        CHECK_EQ(packet.odd_nanos, static_cast<uint64_t>(one.fraction) * static_cast<uint64_t>(tick));
      }
      CHECK(packet.record.data == block.data());
      CHECK_EQ(packet.record.size, block.size());
      const Format same = nanos ? Format::pcap_ns : Format::pcap_us;
      CHECK_EQ(packet.verbatim, file.big || file.magic == pcap::kMagicModified ? Format::none : same);
    }
  }
}

TEST("a file cut at every byte") {
  for (const Pcap& file : forms()) {
    const Buffer header = file.header();
    for (size_t size = 0; size < header.size(); ++size) {
      CONTEXT("header cut to " << size);
      const Exact cut(header.data(), size);
      PcapReader::Header read_header;
      std::string damage;
      CHECK_EQ(PcapReader::recognises(cut.bytes()), size >= 4);
      CHECK_EQ(PcapReader::readHeader(cut.bytes(), &read_header, &damage), Next::need_more);
    }
    const Buffer record = file.record(1, 2, payload(9));
    PcapReader reader(headerOf(file));
    for (size_t size = 0; size < record.size(); ++size) {
      CONTEXT("record cut to " << size);
      const Exact cut(record.data(), size);
      Packet packet;
      CHECK_EQ(reader.next(cut.data(), cut.size(), &packet), Next::need_more);
    }
  }
}

TEST("captured lengths at the limits") {
  const struct {
    uint32_t snap;
    uint32_t caplen;
    Next want;
    uint32_t allowed;  // named in the damage
  } cases[] = {
      {65535, 262144, Next::need_more, 0},
      {65535, 262145, Next::damage, 262144},
      {0, 262144, Next::need_more, 0},
      {0, 262145, Next::damage, 262144},
      {300000, 300000, Next::need_more, 0},
      {300000, 300001, Next::damage, 300000},
      {0xffffffff, 16u << 20, Next::need_more, 0},
      {0xffffffff, (16u << 20) + 1, Next::damage, 16u << 20},
      {0x80000000, 0x80000000, Next::damage, 16u << 20},
      {262144, 0x80000000, Next::damage, 262144},
      {262144, 0xffffffff, Next::damage, 262144},
      {0xffffffff, 0xffffffff, Next::damage, 16u << 20},
  };
  for (Pcap file : forms()) {
    for (const auto& one : cases) {
      CONTEXT("snap " << one.snap << ", caplen " << one.caplen << (file.big ? " big" : " little"));
      file.snap = one.snap;
      PcapReader reader(headerOf(file));
      const Exact block(file.record(1, 2, one.caplen, one.caplen, payload(20)));
      Packet packet;
      CHECK_EQ(reader.next(block.data(), block.size(), &packet), one.want);
      if (one.want != Next::damage) continue;
      CHECK(reader.damageText().find("captured length " + std::to_string(one.caplen)) != std::string::npos);
      CHECK(reader.damageText().find("the " + std::to_string(one.allowed) + " bytes") != std::string::npos);
    }
  }
}

TEST("versions, and lengths that stand the other way round") {
  enum class Way { refused, normal, swapped, smaller_first };
  const struct {
    uint16_t major, minor;
    Way way;
  } cases[] = {
      {2, 4, Way::normal},    {2, 3, Way::smaller_first}, {2, 2, Way::swapped}, {2, 1, Way::swapped},
      {2, 0, Way::swapped},   {2, 5, Way::refused},       {1, 4, Way::refused}, {3, 0, Way::refused},
      {543, 0, Way::swapped}, {543, 1, Way::refused},     {0, 0, Way::refused}, {0xffff, 0xffff, Way::refused},
      {4, 2, Way::refused},
  };
  for (Pcap file : forms()) {
    for (const auto& one : cases) {
      CONTEXT("version " << one.major << "." << one.minor << (file.big ? " big" : " little"));
      file.major = one.major;
      file.minor = one.minor;
      const Exact header(file.header());
      PcapReader::Header read_header;
      std::string damage;
      const Next next = PcapReader::readHeader(header.bytes(), &read_header, &damage);
      CHECK_EQ(next, one.way == Way::refused ? Next::damage : Next::section);
      if (one.way == Way::refused) {
        CHECK(damage.find(std::to_string(one.major) + "." + std::to_string(one.minor)) != std::string::npos);
        continue;
      }
      CHECK_EQ(read_header.version_major, one.major);
      CHECK_EQ(read_header.version_minor, one.minor);
      for (const bool larger_first : {false, true}) {
        CONTEXT((larger_first ? "the larger length first" : "the smaller length first"));
        Packet packet;
        Exact block(Buffer{});
        const uint32_t first = larger_first ? 10 : 4, second = larger_first ? 4 : 10;
        const bool takes_first = one.way == Way::normal || (one.way == Way::smaller_first && !larger_first);
        CHECK_EQ(read(file, file.record(1, 2, first, second, payload(10)), &packet, &block), Next::packet);
        CHECK_EQ(packet.caplen, takes_first ? first : second);
        CHECK_EQ(packet.wirelen, takes_first ? second : first);
        if (one.way != Way::normal) CHECK_EQ(packet.verbatim, Format::none);
      }
    }
  }
}

TEST("the header's fields") {
  for (Pcap file : forms()) {
    file.snap = 0x01020304;
    file.link = 0xf8000093;  // frame check sequence bits above LINKTYPE_USER0
    const PcapReader::Header header = headerOf(file);
    CHECK_EQ(header.swapped, file.big);
    CHECK_EQ(header.nanos, file.magic == pcap::kMagicNanos);
    CHECK_EQ(header.modified, file.magic == pcap::kMagicModified);
    CHECK_EQ(header.snap_length, 0x01020304u);
    CHECK_EQ(header.link_type, 0x93u);
  }
}

TEST("other magic numbers are no pcap") {
  for (const uint32_t magic :
       {0u, 0xffffffffu, 0x0a0d0d0au, 0xa1b2c3d5u, 0xd4c3b2a0u, 0xa1e2cb12u, 0x1f8b0800u, 0xfd2fb528u}) {
    CONTEXT("magic " << std::hex << magic);
    for (const bool big : {false, true}) CHECK(!PcapReader::recognises(Exact(Put(big).u32(magic).out).bytes()));
  }
}

TEST("a boundary is plausible where records follow one another") {
  for (const Pcap& file : forms()) {
    CONTEXT("magic " << std::hex << file.magic << (file.big ? " big" : " little"));
    const PcapReader reader(headerOf(file));
    Buffer all;
    std::vector<bool> starts;
    for (uint8_t i = 0; i < 40; ++i) {
      const size_t start = all.size();
      all = all + file.record(1700000000 + i, i, 20 + i, 1514, payload(20 + i, i));
      starts.resize(all.size());
      starts[start] = true;
    }
    // It is a guess: bytes in between may look like one record that leads to the end.
    size_t mistaken = 0;
    for (size_t at = 0; at < all.size(); ++at) {
      const Exact rest(all.data() + at, all.size() - at);
      const bool plausible = reader.plausible(rest.data(), rest.size(), true);
      if (starts[at]) CHECK(plausible);
      mistaken += plausible && !starts[at];
    }
    CHECK(mistaken * 100 < starts.size());
    // Whatever is cut off, nothing beyond the end is read.
    for (size_t size = 0; size < 200; ++size) {
      const Exact cut(all.data(), size);
      reader.plausible(cut.data(), cut.size(), false);
      reader.plausible(cut.data(), cut.size(), true);
    }
  }
}

}  // namespace spillway::test
