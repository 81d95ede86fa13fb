// The PCAPNG reader under hostile bytes: a section header is put in front of what does not begin with one, in an order
// that the input chooses.
#include "capture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway;
  if (PcapngReader::recognises({data, size}) || size < 4) return test::fuzzCapture(data, size);
  test::Buffer bytes;
  pcapng::putSection(&bytes, {});
  if ((data[0] & 1) != 0) {
    for (const size_t at : {4u, 8u, 24u}) store32(bytes.data() + at, swap32(load32(bytes.data() + at)));
    store16(bytes.data() + 12, swap16(load16(bytes.data() + 12)));
  }
  bytes.insert(bytes.end(), data + 1, data + size);
  return test::fuzzCapture(bytes.data(), bytes.size());
}
