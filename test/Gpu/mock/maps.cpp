// TMA maps: every requirement that cuda.h states for cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col, and that all of the
// tensor lies in one allocation. Kept for good: a captured graph may use a map at any time.
#include "mock.h"
#include <cstring>
#include <deque>

using namespace mock;

namespace {
std::deque<coat_emulated_map> kept;

int elementBytes(int type) {
  static const int bytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
  return type >= 0 && type < int(sizeof bytes / sizeof *bytes) ? bytes[type] : 0;
}

/// What both kinds ask for; NULL: nothing is wrong.
const char *problemOf(const coat_emulated_map &map, const void *into, int interleave, int swizzle) {
  uint32_t rank = uint32_t(map.rank);
  if (reinterpret_cast<uint64_t>(into) % 64)
    return "a map aligned to 64 bytes";
  if (!elementBytes(map.type))
    return "a known element type";
  if (interleave)
    return "no interleave";
  if (rank < 1 || rank > 5)
    return "rank 1 to 5";
  if (reinterpret_cast<uint64_t>(map.address) % 16)
    return "an address aligned to 16 bytes";
  if (swizzle < 0 || swizzle > 3)
    return "a swizzle of none, 32, 64 or 128 bytes";
  uint64_t extent = uint64_t(elementBytes(map.type)), below = extent;
  for (uint32_t i = 0; i < rank; ++i) {
    if (map.sizes[i] < 1 || map.sizes[i] > (uint64_t(1) << 32))
      return "sizes of 1 to 2^32";
    if (i && (map.strides[i] % 16 || map.strides[i] >= (uint64_t(1) << 40)))
      return "strides that are multiples of 16 bytes below 2^40";
    if (i && map.strides[i] < below * map.sizes[i - 1] && map.sizes[i] > 1)
      return "strides that do not overlap what lies inside";
    if (map.elementStrides[i] < 1 || map.elementStrides[i] > 8)
      return "element strides of 1 to 8";
    below = i ? map.strides[i] : below;
    extent += (map.sizes[i] - 1) * map.strides[i];
  }
  if (!isDevice(map.address, extent))
    return "a tensor within one allocation of the device";
  return nullptr;
}

int keep(coat_emulated_map &map, int swizzle, void *into) {
  map.swizzle = swizzle ? 16 << swizzle : 0;
  kept.push_back(map);
  coat_emulated_map_words words = {COAT_EMULATED_MAP_MAGIC, &kept.back()};
  memset(into, 0, 128);
  memcpy(into, &words, sizeof words);
  return success;
}

const char *problemOfRows(uint64_t elements, int type, int swizzle) {
  uint64_t bytes = elements * uint64_t(elementBytes(type));
  if (bytes % 16)
    return "rows of the box that are multiples of 16 bytes";
  return swizzle && bytes > (uint64_t(16) << swizzle) ? "rows of the box no longer than the swizzle" : nullptr;
}

void fill(coat_emulated_map &map, int type, uint32_t rank, void *address, const uint64_t *sizes, const uint64_t *strides,
          const uint32_t *elementStrides) {
  map.address = address;
  map.type = type;
  map.rank = int32_t(rank);
  map.strides[0] = uint64_t(elementBytes(type));
  for (uint32_t i = 0; i < rank && i < 5; ++i) {
    map.sizes[i] = sizes[i];
    map.elementStrides[i] = elementStrides[i];
    if (i)
      map.strides[i] = strides[i - 1];
  }
}
} // namespace

const coat_emulated_map *mock::mapIn(const void *tensorMap) {
  coat_emulated_map_words words;
  memcpy(&words, tensorMap, sizeof words);
  return words.magic == COAT_EMULATED_MAP_MAGIC ? words.map : nullptr;
}

MOCK_API cuTensorMapEncodeTiled(void *into, int type, uint32_t rank, void *address, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                                int interleave, int swizzle, int promotion, int fillKind) {
  MOCK_ENTER();
  if (major() < 9)
    return fault(invalidValue, "cuTensorMapEncodeTiled: expected a device of compute capability 9.0 or later");
  coat_emulated_map map = {};
  fill(map, type, rank, address, sizes, strides, elementStrides);
  const char *problem = problemOf(map, into, interleave, swizzle);
  for (uint32_t i = 0; !problem && i < rank; ++i) {
    map.box[i] = box[i];
    if (box[i] < 1 || box[i] > 256)
      problem = "a box of 1 to 256 in each dimension";
  }
  if (!problem)
    problem = problemOfRows(box[0], type, swizzle);
  if (!problem && (promotion < 0 || promotion > 3 || fillKind < 0 || fillKind > 1))
    problem = "known kinds of promotion and fill";
  if (problem)
    return fault(invalidValue, "cuTensorMapEncodeTiled: expected %s", problem);
  return keep(map, swizzle, into);
}

MOCK_API cuTensorMapEncodeIm2col(void *into, int type, uint32_t rank, void *address, const uint64_t *sizes,
                                 const uint64_t *strides, const int *lower, const int *upper, uint32_t channels,
                                 uint32_t pixels, const uint32_t *elementStrides, int interleave, int swizzle,
                                 int promotion, int fillKind) {
  MOCK_ENTER();
  if (major() < 9)
    return fault(invalidValue, "cuTensorMapEncodeIm2col: expected a device of compute capability 9.0 or later");
  coat_emulated_map map = {};
  map.im2col = 1;
  fill(map, type, rank, address, sizes, strides, elementStrides);
  const char *problem = rank < 3 ? "rank 3 to 5" : problemOf(map, into, interleave, swizzle);
  // The corners' range depends on the rank: 16 bits in 3-D, 8 in 4-D, 5 in 5-D.
  int corner = rank == 3 ? 1 << 15 : rank == 4 ? 1 << 7 : 1 << 4;
  for (uint32_t i = 0; !problem && i + 2 < rank; ++i) {
    map.lower[i] = lower[i];
    map.upper[i] = upper[i];
    if (lower[i] < -corner || lower[i] >= corner || upper[i] < -corner || upper[i] >= corner)
      problem = "corners of the pixel box within the range of the rank";
  }
  map.channels = channels;
  map.pixels = pixels;
  if (!problem && (channels < 1 || channels > 256 || pixels < 1 || pixels > 1024))
    problem = "1 to 256 channels and 1 to 1024 pixels";
  if (!problem)
    problem = problemOfRows(channels, type, swizzle);
  if (!problem && (promotion < 0 || promotion > 3 || fillKind < 0 || fillKind > 1))
    problem = "known kinds of promotion and fill";
  if (problem)
    return fault(invalidValue, "cuTensorMapEncodeIm2col: expected %s", problem);
  return keep(map, swizzle, into);
}
