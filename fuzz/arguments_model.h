/* A model by hand for the fuzzer of arguments: its sizes as plain C, which the tables must agree with. */
#ifndef COAT_FUZZ_ARGUMENTS_MODEL_H
#define COAT_FUZZ_ARGUMENTS_MODEL_H

#ifdef __cplusplus
extern "C" {
#endif

#include "model.h"

enum { tensors = 7, inputs = 4, symbols = 2, workspaceSize = 100, scratchSize = 70, weightsSize = 128 };

/* Bytes and alignment of tensor `index` for symbols N and M that are in range. */
static inline size_t bytesOf(int index, int64_t n, int64_t m) {
  switch (index) {
  case 0: /* x: f32 [N, 3, M] */
    return (size_t)(n * 3 * m * 4);
  case 1: /* mask: bool [M], optional */
    return (size_t)m;
  case 2: /* past: f16 [N, 8] */
    return (size_t)(n * 8 * 2);
  case 3: /* nibbles: i4 [M] */
    return (size_t)((m + 1) / 2);
  case 4: /* y: f64 [N, (2 * M) floordiv 3 + 1] */
    return (size_t)(n * (2 * m / 3 + 1) * 8);
  case 5: /* present: f16 [N, 8], may be past */
    return (size_t)(n * 8 * 2);
  default: /* scalar: i64 [] */
    return 8;
  }
}
static inline size_t alignmentOf(int index) {
  static const size_t alignments[tensors] = {4, 1, 2, 1, 8, 2, 8};
  return alignments[index];
}
static inline int isOptional(int index) { return index == 1; }

/* What the model does: reads and writes all that it may. */
void runBody(coat_frame *frame);

#ifdef __cplusplus
}
#endif

#endif
