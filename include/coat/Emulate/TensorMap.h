// What the 128 bytes of a CUtensorMap hold where there is no GPU: the mock driver encodes them, the emulator reads
// them.
#ifndef COAT_EMULATE_TENSORMAP_H
#define COAT_EMULATE_TENSORMAP_H

#include <stdint.h>

#define COAT_EMULATED_MAP_MAGIC UINT64_C(0x70616D5F74616F63)

/* A map as cuTensorMapEncodeTiled or cuTensorMapEncodeIm2col was asked for it; all lists innermost first. */
typedef struct coat_emulated_map {
  void *address;
  int32_t im2col;
  int32_t type; /* CUtensorMapDataType: f16 6, f32 7, bf16 9, tf32 11 */
  int32_t rank;
  int32_t swizzle; /* bytes: 0, 32, 64 or 128 */
  uint64_t sizes[5];
  uint64_t strides[5]; /* bytes; the first is the size of an element */
  uint32_t box[5];
  uint32_t elementStrides[5];
  int32_t lower[3], upper[3];
  uint32_t channels, pixels;
} coat_emulated_map;

/* At the start of the CUtensorMap. */
typedef struct coat_emulated_map_words {
  uint64_t magic;
  const coat_emulated_map *map;
} coat_emulated_map_words;

#endif
