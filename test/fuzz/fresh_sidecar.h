// Small sidecars of either form, to be mutated.
#pragma once
#include "../native/drive.h"
#include "index/block_builder.h"
#include "index/byte_source.h"
#include "index/page.h"
#include "index/sealed_output.h"
#include "index/sealer.h"
#include "index/sidecar_writer.h"

namespace spillway::fuzz {

using namespace spillway::test;

constexpr uint64_t kSegmentId = 7;

// IPv4 over Ethernet, now and then tagged, among few addresses and ports.
inline Buffer smallFrame(Random* random) {
  Buffer data(12, 2);
  data[5] = static_cast<uint8_t>(random->below(3));
  if (random->below(3) == 0) {
    const uint8_t tag[] = {0x81, 0, 0, static_cast<uint8_t>(random->below(5))};
    data.insert(data.end(), tag, tag + 4);
  }
  data = data + Buffer{static_cast<uint8_t>(random->below(8) == 0 ? 0x86 : 0x08), 0, 0x45, 0};
  data = data + Buffer(7, 0) + Buffer{static_cast<uint8_t>(random->below(2) == 0 ? 6 : 17), 0, 0};
  for (int n = 0; n < 2; ++n) data = data + Buffer{10, 0, 0, static_cast<uint8_t>(random->below(20))};
  for (int n = 0; n < 2; ++n) data = data + Buffer{0, static_cast<uint8_t>(random->below(200))};
  return data;
}

inline void addSmallBlock(Random* random, SidecarWriter* writer) {
  static constexpr uint32_t kLinkTypes[] = {1, 1, 1, 101};
  BlockBuilder builder;
  const Buffer state(random->below(3), 9);
  builder.begin(writer->end(), writer->state(bytesOf(state)));
  if (random->below(6) == 0) builder.describes();
  for (uint64_t n = random->below(4); n > 0; --n) {
    const Buffer data = smallFrame(random);
    Packet packet;
    packet.data = data.data();
    packet.caplen = static_cast<uint32_t>(data.size());
    packet.has_time = random->below(5) != 0;
    packet.time = static_cast<Nanos>(random->below(1000));
    builder.add(packet, kLinkTypes[random->below(4)]);
  }
  writer->add(builder.close(writer->end() + 1 + random->below(70000), static_cast<uint32_t>(random->next())));
}

inline Buffer sealedOf(const Buffer& open) {
  Buffer sealed;
  SealedOutput output(&sealed);
  Sealer sealer(kSegmentId, &output);
  PageReader pages(ByteSource::of(bytesOf(open)), kSegmentId);
  for (Page page; pages.next(&page);) sealer.add(page);
  sealer.finish();
  return sealed;
}

// With the bytes that choose behind it.
inline Buffer freshSidecar(Random* random) {
  const MemoryFile memory;
  int error = 0;
  const auto writer = SidecarWriter::create("/proc/self/fd/" + std::to_string(memory.fd()), kSegmentId, &error);
  ENSURE(writer);
  for (uint64_t blocks = 1 + random->below(12); blocks > 0; --blocks) {
    addSmallBlock(random, writer.get());
    if (random->below(4) == 0) ENSURE(writer->flush() == 0);
  }
  ENSURE(writer->flush() == 0);
  Buffer open(writer->bytes());
  ENSURE(::pread(memory.fd(), open.data(), open.size(), 0) == static_cast<ssize_t>(open.size()));
  return (random->below(2) == 0 ? open : sealedOf(open)) + random->bytes(12);
}

}  // namespace spillway::fuzz
