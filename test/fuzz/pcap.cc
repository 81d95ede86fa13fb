// The pcap reader under hostile bytes: a valid magic number is put in front of what does not begin with one.
#include "capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway;
  if (PcapReader::recognises({data, size}) || size < 4) return test::fuzzCapture(data, size);
  static constexpr uint32_t kMagics[] = {pcap::kMagicMicros, pcap::kMagicNanos, pcap::kMagicModified};
  const uint32_t magic = kMagics[data[0] % 3];
  test::Buffer bytes(4);
  store32(bytes.data(), (data[0] & 128) != 0 ? swap32(magic) : magic);
  bytes.insert(bytes.end(), data + 1, data + size);
  return test::fuzzCapture(bytes.data(), bytes.size());
}
