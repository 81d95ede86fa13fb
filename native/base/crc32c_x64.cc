#include "base/crc32c_x64.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>

#include "base/bytes.h"
#include "base/crc32c_math.h"

#define SPILLWAY_CRC32 __attribute__((target("sse4.2")))
#define SPILLWAY_PRODUCTS __attribute__((target("sse4.2,pclmul,avx2,vpclmulqdq")))

namespace spillway {
namespace {

using namespace crc32c_math;

// Carries a checksum over the bytes behind it by four table look-ups.
using ShiftTable = std::array<std::array<uint32_t, 256>, 4>;
constexpr ShiftTable makeShiftTable(uint64_t bytes) {
  ShiftTable table{};
  const uint32_t factor = shiftFactor(bytes);
  for (int byte = 0; byte < 4; ++byte)
    for (uint32_t i = 0; i < 256; ++i) table[byte][i] = multiply(i << (8 * byte), factor);
  return table;
}

uint32_t shift(const ShiftTable& by, uint64_t crc) {
  return by[0][crc & 255] ^ by[1][(crc >> 8) & 255] ^ by[2][(crc >> 16) & 255] ^ by[3][(crc >> 24) & 255];
}

// The instruction has a latency of three cycles and a throughput of one: three lanes side by side keep it busy. What is
// too short for long lanes goes through short ones.
constexpr size_t kLongLane = 4096;
constexpr size_t kShortLane = 256;
const ShiftTable kShiftLong = makeShiftTable(kLongLane);
const ShiftTable kShiftShort = makeShiftTable(kShortLane);

// Takes as many times three lanes as there are in *size bytes at *data.
template <size_t kLane>
SPILLWAY_CRC32 uint64_t takeLanes(uint64_t a, const uint8_t** data, size_t* size, const ShiftTable& shift_lane) {
  for (; *size >= 3 * kLane; *data += 3 * kLane, *size -= 3 * kLane) {
    const uint8_t* const p = *data;
    uint64_t b = 0, c = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      a = _mm_crc32_u64(a, load64(p + i));
      b = _mm_crc32_u64(b, load64(p + kLane + i));
      c = _mm_crc32_u64(c, load64(p + 2 * kLane + i));
    }
    a = shift(shift_lane, a) ^ b;
    a = shift(shift_lane, a) ^ c;
  }
  return a;
}

// A product of reflected numbers has a factor x too many, and 32 bits in the low half of 64 have x^32. This is the
// factor by which 64 bits stand for themselves so many bytes further on.
constexpr uint64_t carryFactor(uint64_t bytes) { return powerOfX(8 * bytes - 33); }

// Folding: 128 bits are multiplied to stand for themselves further on, where they are added to what is there. The
// halves of a factor are for the first and the last 64 bits.
struct alignas(32) FoldFactor {
  uint64_t halves[4];
};
constexpr FoldFactor foldFactor(uint64_t bytes) {
  const uint64_t first = carryFactor(bytes + 8), last = carryFactor(bytes);
  return {{first, last, first, last}};
}

// Four registers of 32 bytes are folded side by side, over each other, while three lanes of kStepWords words go through
// the instruction. That keeps both units busy.
constexpr size_t kFoldBytes = 128;
constexpr size_t kSteps = 32;
constexpr size_t kStepWords = 4;
constexpr size_t kMixedLane = kSteps * kStepWords * 8;
constexpr size_t kFolded = (kSteps + 1) * kFoldBytes;
constexpr size_t kMixed = 3 * kMixedLane + kFolded;
constexpr uint64_t kCarryA = carryFactor(2 * kMixedLane + kFolded);
constexpr uint64_t kCarryB = carryFactor(kMixedLane + kFolded);
constexpr uint64_t kCarryC = carryFactor(kFolded);
constexpr FoldFactor kFoldFar = foldFactor(kFoldBytes);
constexpr FoldFactor kFoldRegister = foldFactor(32);
constexpr FoldFactor kFoldHalf = foldFactor(16);

SPILLWAY_PRODUCTS inline __m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

SPILLWAY_PRODUCTS inline __m256i fold(__m256i x, __m256i factor, __m256i onto) {
  const __m256i first = _mm256_clmulepi64_epi128(x, factor, 0x00);
  const __m256i last = _mm256_clmulepi64_epi128(x, factor, 0x11);
  return _mm256_xor_si256(_mm256_xor_si256(first, last), onto);
}

// Folds all 128 bytes to the last 16.
SPILLWAY_PRODUCTS inline __m128i foldTogether(__m256i x0, __m256i x1, __m256i x2, __m256i x3) {
  const __m256i factor = load256(&kFoldRegister);
  const __m256i x = fold(fold(fold(x0, factor, x1), factor, x2), factor, x3);
  const __m256i half = fold(x, load256(&kFoldHalf), _mm256_permute2x128_si256(x, x, 0x11));
  return _mm256_castsi256_si128(half);
}

// A checksum's part in 64 bits further on.
SPILLWAY_PRODUCTS inline uint64_t carry(uint64_t crc, uint64_t factor) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(crc)),
                                               _mm_cvtsi64_si128(static_cast<int64_t>(factor)), 0x00);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

}  // namespace

bool hasCrc32Instruction() { return __builtin_cpu_supports("sse4.2"); }

bool hasWideProducts() {
  return hasCrc32Instruction() && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("vpclmulqdq");
}

SPILLWAY_CRC32 uint32_t crc32cByInstruction(const uint8_t* data, size_t size, uint32_t before) {
  uint64_t crc = before ^ 0xffffffffu;
  crc = takeLanes<kLongLane>(crc, &data, &size, kShiftLong);
  crc = takeLanes<kShortLane>(crc, &data, &size, kShiftShort);
  for (; size >= 8; size -= 8, data += 8) crc = _mm_crc32_u64(crc, load64(data));
  auto rest = static_cast<uint32_t>(crc);
  for (; size != 0; --size, ++data) rest = _mm_crc32_u8(rest, *data);
  return rest ^ 0xffffffffu;
}

SPILLWAY_PRODUCTS uint32_t crc32cByProducts(const uint8_t* data, size_t size, uint32_t before) {
  const __m256i factor = load256(&kFoldFar);
  uint64_t a = before ^ 0xffffffffu;
  for (; size >= kMixed; data += kMixed, size -= kMixed) {
    const uint8_t* lane = data;
    const uint8_t* folded = data + 3 * kMixedLane;
    uint64_t b = 0, c = 0;
    __m256i x0 = load256(folded), x1 = load256(folded + 32), x2 = load256(folded + 64), x3 = load256(folded + 96);
    for (size_t step = 0; step < kSteps; ++step) {
      folded += kFoldBytes;
      x0 = fold(x0, factor, load256(folded));
      x1 = fold(x1, factor, load256(folded + 32));
      x2 = fold(x2, factor, load256(folded + 64));
      x3 = fold(x3, factor, load256(folded + 96));
      for (size_t word = 0; word < kStepWords; ++word, lane += 8) {
        a = _mm_crc32_u64(a, load64(lane));
        b = _mm_crc32_u64(b, load64(lane + kMixedLane));
        c = _mm_crc32_u64(c, load64(lane + 2 * kMixedLane));
      }
    }
    // What is folded, and with it the lanes, stand in its last 16 bytes, whose checksum is that of all.
    const __m128i x = foldTogether(x0, x1, x2, x3);
    const uint64_t lanes = carry(a, kCarryA) ^ carry(b, kCarryB) ^ carry(c, kCarryC);
    const auto first = static_cast<uint64_t>(_mm_extract_epi64(x, 0));
    const auto last = static_cast<uint64_t>(_mm_extract_epi64(x, 1)) ^ lanes;
    a = _mm_crc32_u64(_mm_crc32_u64(0, first), last);
  }
  return crc32cByInstruction(data, size, static_cast<uint32_t>(a) ^ 0xffffffffu);
}

}  // namespace spillway
#endif
