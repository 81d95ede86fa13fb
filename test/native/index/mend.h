// Makes the checksums of a sidecar right again whose bytes were changed, so that what it says is looked at.
#pragma once
#include <algorithm>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "index/sidecar_format.h"

namespace spillway::test {

// Those of the trailer, of the footer, and of the chunks where the trailer has room for them.
inline void mendSealed(uint8_t* data, size_t size) {
  if (size < sidecar::kHeaderBytes + sidecar::kFooterBytes) return;
  uint8_t* footer = data + size - sidecar::kFooterBytes;
  const size_t trailer_bytes =
      std::min<size_t>(load32(footer + 16), size - sidecar::kHeaderBytes - sidecar::kFooterBytes);
  uint8_t* trailer = footer - trailer_bytes;
  const size_t body = static_cast<size_t>(trailer - data);
  const size_t chunks = (body + sidecar::kChunkBytes - 1) / sidecar::kChunkBytes;
  if (4 * chunks <= trailer_bytes)
    for (size_t n = 0; n < chunks; ++n) {
      const size_t start = n * sidecar::kChunkBytes;
      store32(footer - 4 * (chunks - n), crc32c(data + start, std::min(sidecar::kChunkBytes, body - start)));
    }
  store32(footer + 24, crc32c(trailer, trailer_bytes));
  store32(footer + 28, crc32c(footer, 28));
}

// Those of the pages, as far as their lengths lead.
inline void mendOpen(uint8_t* data, size_t size) {
  for (size_t at = sidecar::kHeaderBytes; at + sidecar::kPageHeaderBytes <= size;) {
    uint8_t* page = data + at;
    const size_t body = load32(page + 4);
    if (body > size - at - sidecar::kPageHeaderBytes) return;
    store32(page + 28, crc32c(page + sidecar::kPageHeaderBytes, body, crc32c(page, 28)));
    at += sidecar::kPageHeaderBytes + body;
  }
}

// Those of either form, and of the header.
inline void mendSidecar(uint8_t* data, size_t size) {
  if (size < sidecar::kHeaderBytes) return;
  store32(data + 28, crc32c(data, 28));
  if (load32(data + 12) == static_cast<uint32_t>(sidecar::Form::sealed)) mendSealed(data, size);
  else mendOpen(data, size);
}

}  // namespace spillway::test
