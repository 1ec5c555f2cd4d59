/* cuda_model.h: the private contract between cuda.c and what lib/Emit generates for a model compiled for CUDA, beside that of
 * model.h. Nothing here is public.
 *
 * A CUDA model has cuda.c in place of model.c, one body for all devices, and coat_the_cuda_model. The body computes
 * addresses only and calls coat_cuda_launch once a launch; grids, shared memory and TMA maps are in the tables, because
 * they differ from architecture to architecture.
 * Undefined symbols of cuda.c: those of model.c, dlopen and dlsym.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_CUDA_MODEL_H
#define COAT_CUDA_MODEL_H

#include "model.h"

/* What a kernel may have at most. */
enum { COAT_CUDA_MAX_POINTERS = 256, COAT_CUDA_MAX_MAPS = 8 };

/* A TMA map over the memory of one argument; all lists innermost first. It becomes a parameter behind the pointers. */
typedef struct coat_cuda_map {
  int32_t argument;           /* whose address it is over */
  int32_t im2col;             /* 0: tile */
  int32_t type;               /* CUtensorMapDataType */
  int32_t rank;
  int32_t swizzle;            /* CUtensorMapSwizzle */
  int32_t channels, pixels;   /* im2col only */
  int32_t lower[3], upper[3]; /* im2col only */
  uint32_t box[5];            /* tile only */
  uint32_t element_strides[5];
  uint64_t sizes[5];
  uint64_t strides[4];        /* bytes, without the innermost */
} coat_cuda_map;

/* One kernel for one architecture. */
typedef struct coat_cuda_kernel {
  const char *name;           /* in the image */
  const void *image;          /* a cubin, or PTX with a NUL at its end */
  const coat_cuda_map *maps;
  int32_t map_count;
  int32_t pointer_count;
  uint32_t grid[3], block[3];
  uint32_t cluster[3];        /* 1, 1, 1: none */
  uint32_t shared;            /* dynamic, in bytes */
} coat_cuda_kernel;

enum coat_cuda_kind {
  COAT_CUDA_EXACT = 0, /* cubin that runs on exactly this compute capability (sm_90a) */
  COAT_CUDA_FAMILY = 1, /* cubin: this capability, or a later one of the same major number */
  COAT_CUDA_PTX = 2    /* compiled by the driver: this capability or any later one */
};

/* All kernels for one architecture. */
typedef struct coat_cuda_target {
  const char *name;           /* "sm_90a", "compute_80" for PTX */
  int32_t major, minor;
  int64_t kind;               /* enum coat_cuda_kind */
  const coat_cuda_kernel *kernels;
} coat_cuda_target;

typedef struct coat_cuda_model {
  const coat_cuda_target *targets; /* best first */
  int32_t target_count;
  int32_t kernel_count;       /* of each target */
  int32_t launch_count;
  int32_t map_count;          /* the most that a launch has, on any target */
  int64_t weights_size;
  void (*body)(coat_frame *);
} coat_cuda_model;

extern const coat_cuda_model coat_the_cuda_model;

/* Queues launch number `launch` (an index into the info's kernels), of kernel number `kernel`, on the stream of the run;
 * `pointers` are its arguments' addresses on the device. After a failure it does nothing. Called by the body only. */
void coat_cuda_launch(coat_frame *frame, int32_t launch, int32_t kernel, void *const *pointers);

#endif
