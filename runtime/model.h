/* model.h: the private contract between model.c, which holds the logic of the C interface, and the tables and code that
 * lib/Emit generates for each model. Nothing here is public; it may change whenever both sides change together.
 *
 * How a library is made. model.c is compiled to LLVM bitcode when coat is built, and embedded in the tool. For a model
 * with prefix `net`, Emit links a copy of it with one LLVM module that defines
 *
 *   const coat_model coat_the_model                    the tables below, constant, hidden
 *   void net_body_<isa>(coat_frame *)                  one for each ISA (in the table; any name will do)
 *
 * (the bitcode is coat::modelBitcode() of embedded.h), then renames each function whose name starts with `coat_export_` to `net_` plus the rest (coat_export_run becomes
 * net_run), keeps `coat_model_v1` for .so only, and makes all the rest internal:
 *
 *   coat_export_run            coat_export_run_flat     coat_export_workspace_size   coat_export_info
 *   coat_export_strerror       coat_export_state_size   coat_export_init             coat_export_fini
 *   coat_model_v1 (only .so)
 *
 * coat_the_model is constant and internal after linking, so LLVM's ordinary passes specialise model.c for the model.
 * Undefined symbols of model.c: malloc, free, memcpy, memset (and memmove, which LLVM may form).
 */
#ifndef COAT_MODEL_H
#define COAT_MODEL_H

#include "coat.h"

/* ---- Running ---------------------------------------------------------------------------------------------------- */

typedef struct coat_model coat_model;

/* One run of a model; made by model.c, read by the generated body. On x86-64 and AArch64 every field is 8 bytes, so
 * field k lies at 8*k; the index is in the comment. */
typedef struct coat_frame {
  void *const *tensors;        /* 0: inputs then outputs, dense, in the order of the table; never NULL unless optional
                                     or without elements */
  const int64_t *dims;         /* 1: every dimension (static ones too) of every tensor, in order: those of tensor 0, then
                                     those of tensor 1 ..; a body finds dim d of tensor t at sum(rank(0..t-1)) + d */
  const int64_t *symbols;      /* 2: values of the symbols, in the order of the table */
  char *workspace;             /* 3: the arena, 64-byte aligned, coat_model::workspace bytes */
  const char *weights;         /* 4: the weight blob, 64-byte aligned (embedded or the caller's) */
  char *scratch;               /* 5: scratch of worker 0, 64-byte aligned */
  size_t scratch_stride;       /* 6: bytes from one worker's scratch to the next's; a multiple of 64 */
  const coat_options *options; /* 7: a full copy of the caller's, zero where not given */
  int64_t failed;              /* 8: 0, or 1 + the number of the first requirement that does not hold */
} coat_frame;

/* Unpacks `args` (whatever the body put there: pointers and i64 sizes) and runs one task of a kernel with the worker's
 * scratch. Stays valid after the worker moves on: args live until coat_parallel returns. */
typedef void (*coat_thunk)(const void *args, int64_t task, char *scratch);

/* Tasks 0..n-1 of one launch; n may be 0. 8 bytes a field. */
typedef struct coat_part {
  coat_thunk thunk;
  const void *args;
  int64_t n;
} coat_part;

/* Runs all tasks of `count` launches that are independent of each other, the first being number `launch` (an index into
 * the info's kernels), and returns after all of them. Which worker runs what never changes a result. Called by the body
 * only, on the thread of the run. */
void coat_parallel(coat_frame *frame, int32_t launch, int32_t count, const coat_part *parts);

/* ---- Tables ----------------------------------------------------------------------------------------------------- */

/* What a CPU must have. A bit stands for all instructions of its group, enabled by the operating system where that
 * matters. AArch64 models have features = 0 for the base line of their target. */
enum coat_cpu_feature {
  COAT_CPU_X86_64_V2 = 1 << 0,   /* cx16, lahf, popcnt, sse3, ssse3, sse4.1, sse4.2 */
  COAT_CPU_X86_64_V3 = 1 << 1,   /* avx, avx2, bmi, bmi2, f16c, fma, lzcnt, movbe */
  COAT_CPU_X86_64_V4 = 1 << 2,   /* avx512f, bw, cd, dq, vl */
  COAT_CPU_AVX512_VNNI = 1 << 3,
  COAT_CPU_AVX512_BF16 = 1 << 4,
  COAT_CPU_AVX512_FP16 = 1 << 5,
  COAT_CPU_AVX_VNNI = 1 << 6
};

/* One ISA that the library was compiled for. x86-64-v3 needs COAT_CPU_X86_64_V2 | COAT_CPU_X86_64_V3. */
typedef struct coat_isa {
  uint64_t features;           /* every bit is needed */
  void (*body)(coat_frame *);
} coat_isa;

/* coat_dim_info::code is a postfix program over symbols, ended by COAT_CODE_END; one value is left on the stack, which
 * is never deeper than COAT_CODE_DEPTH. Division and remainder round as MLIR's floordiv, ceildiv and mod do. */
enum coat_code {
  COAT_CODE_END = 0,
  COAT_CODE_CONST = 1,   /* next word: the number */
  COAT_CODE_SYMBOL = 2,  /* next word: index of the symbol */
  COAT_CODE_ADD = 3,
  COAT_CODE_MUL = 4,
  COAT_CODE_FLOORDIV = 5,
  COAT_CODE_CEILDIV = 6,
  COAT_CODE_MOD = 7
};
#define COAT_CODE_DEPTH 16

/* The model. Fields are 8 bytes each on 64-bit targets; info comes first and has the layout of coat.h. The functions in
 * info are filled by Emit with the coat_export_ functions of model.c: run_flat, flat_workspace_size, shape, state_size,
 * init, fini, strerror (declared below). */
struct coat_model {
  coat_model_info info;
  const coat_isa *isas;        /* info.isa_count of them, best first, in the order of info.isas */
  const char *weights;         /* the embedded blob, 64-byte aligned; NULL for --weights=file or a model without any */
  size_t workspace;            /* bytes of the arena at the largest sizes */
  size_t scratch;              /* bytes of scratch a worker needs, the most of all kernels and ISAs */
  int64_t dim_count;           /* sum of the ranks of all tensors */
  const char *const *requirements; /* what the values of a run must be: the messages of those that are not */
};

/* net_args, as a generated header declares it, is { size_t struct_size; one pointer a tensor in the order of the table;
 * one int64_t a symbol in the order of the table }, so its layout follows from the counts. */

extern const coat_model coat_the_model;

int coat_export_run(const void *args, const coat_options *options);
int coat_export_run_flat(void *const *tensors, const int64_t *dims, const coat_options *options);
size_t coat_export_workspace_size(const void *args, const coat_options *options);
const coat_model_info *coat_export_info(void);
const char *coat_export_strerror(int code);
size_t coat_export_state_size(void);
int coat_export_init(void *state, const coat_options *options);
void coat_export_fini(void *state);
const coat_model_info *coat_model_v1(void);

/* For the function pointers in info; internal after linking, like the rest. */
size_t coat_flat_workspace_size(const int64_t *dims, const coat_options *options);
void coat_shape(int32_t index, const int64_t *dims, int64_t *shape);

#endif
