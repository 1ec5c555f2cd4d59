/* coat.h: what every compiled model's header includes, and all that a caller of compiled models needs.
 *
 * C11 and C++11, header-only. A compiled model `net` comes with net.h, which declares (net stands for the model's name):
 *
 *   const coat_model_info *net_info(void);
 *   size_t net_workspace_size(const net_args *, const coat_options *);
 *   int    net_run(const net_args *, const coat_options *);
 *   int    net_run_flat(void *const *tensors, const int64_t *dims, const coat_options *);
 *   size_t net_state_size(void);
 *   int    net_init(void *state, const coat_options *);
 *   void   net_fini(void *state);
 *   const char *net_strerror(int code);
 *
 * Promise: fields and enumerators are only ever appended. Each struct that a caller fills starts with struct_size, set
 * it to sizeof(the struct): fields beyond it count as zero, and fields that an older library does not know are ignored.
 * Fill structs from zero ({0} or designated initializers), so that what is appended later has its default.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_COAT_H
#define COAT_COAT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI that this header describes; coat_model_info::abi is the one of a compiled model. It grows only when an old
 * caller could not use a new model. */
#define COAT_ABI 1

/* What workspace and weights are aligned to, in bytes. Inputs and outputs need the alignment of their element only. */
#define COAT_ALIGNMENT 64

/* ---- Element types ---------------------------------------------------------------------------------------------- */

/* Values are stable. bool is one byte, 0 or 1; int4 and uint4 are packed two a byte, low nibble first. */
enum coat_dtype {
  COAT_BOOL = 1,
  COAT_I8 = 2,
  COAT_I16 = 3,
  COAT_I32 = 4,
  COAT_I64 = 5,
  COAT_U8 = 6,
  COAT_U16 = 7,
  COAT_U32 = 8,
  COAT_U64 = 9,
  COAT_F16 = 10,
  COAT_BF16 = 11,
  COAT_F32 = 12,
  COAT_F64 = 13,
  COAT_F8E4M3FN = 14,
  COAT_F8E5M2 = 15,
  COAT_I4 = 16,
  COAT_U4 = 17
};

/* Floating-point types that C lacks, as their bits. One-member structs, so that they cannot be mixed up. */
typedef struct { uint16_t bits; } coat_f16;
typedef struct { uint16_t bits; } coat_bf16;
typedef struct { uint8_t bits; } coat_f8e4m3fn;
typedef struct { uint8_t bits; } coat_f8e5m2;
/* Two 4-bit integers, the first in the low nibble. */
typedef struct { uint8_t bits; } coat_i4x2;
typedef struct { uint8_t bits; } coat_u4x2;

/* ---- Results ---------------------------------------------------------------------------------------------------- */

/* What net_run and its kin return. Values are stable; net_strerror() names each, coat_options::error gets the detail. */
enum coat_status {
  COAT_OK = 0,
  COAT_ERROR_STRUCT_SIZE = 1, /* struct_size of args or options is not set, or too small for this model */
  COAT_ERROR_NULL = 2,        /* a required pointer is NULL: a tensor, the arguments, or external weights */
  COAT_ERROR_ALIGNMENT = 3,   /* a tensor is not aligned to its element, or workspace or weights not to 64 bytes */
  COAT_ERROR_DIM = 4,         /* a symbolic dimension is outside the range the model was compiled for */
  COAT_ERROR_OVERLAP = 5,     /* an output overlaps an input or another output, and net_info() lists no such pair */
  COAT_ERROR_WORKSPACE = 6,   /* the given workspace is smaller than net_workspace_size() */
  COAT_ERROR_MEMORY = 7,      /* the allocator returned NULL */
  COAT_ERROR_CPU = 8,         /* this CPU lacks the instructions of every ISA in the library */
  COAT_ERROR_OPTIONS = 9,     /* an option contradicts another: a thread count without parallel_for, alloc without free */
  COAT_ERROR_DEVICE = 10,     /* no GPU driver, no kernels for this GPU, or the driver reported an error */
  COAT_ERROR_VALUE = 11       /* values of an input (axes, a shape) do not give the shapes the model was compiled for */
};

/* ---- Options ---------------------------------------------------------------------------------------------------- */

/* A piece of work: called once for each task in 0..n-1, in any order, on any thread. `worker` is below the thread
 * count of the options, and no two calls that run at the same time have the same worker. */
typedef void (*coat_task_fn)(void *arg, int64_t task, int worker);

/* Runs fn(arg, task, worker) for every task in 0..n-1 and returns after all of them. */
typedef void (*coat_parallel_for_fn)(void *ctx, int64_t n, coat_task_fn fn, void *arg);

/* Called on the thread of net_run around each kernel: begin = 1 before the kernel's tasks start, 0 after all are done.
 * `kernel` indexes coat_model_info::kernels. The callback takes the time, so the caller picks the clock. */
typedef void (*coat_profile_fn)(void *ctx, int32_t kernel, int begin);

enum coat_run_flags {
  COAT_HOST_TENSORS = 1 /* tensors of a CUDA model are in the host's memory; see below. CPU models ignore it */
};

/* A CUDA model (coat_model_info::device == COAT_DEVICE_CUDA) works in the memory of a GPU:
 *
 * - net_init uses the device of the context that is current on its thread, or else the primary context of device 0. It
 *   loads the kernels and uploads the weights (coat_options::weights is host memory), to memory from options.alloc or
 *   else from the driver. `state` is needed for every run; any number of threads may share it, on any contexts.
 * - net_run takes device pointers, aligned to 16 bytes, in `tensors` and `workspace`, and queues its kernels on
 *   `stream`. It neither synchronises nor allocates (unless `workspace` is NULL and `alloc` is given, which must then
 *   work in the order of the stream), so a stream that captures a CUDA graph may be given. Two runs at the same time
 *   need two workspaces. With `profile` it waits after each kernel.
 * - With COAT_HOST_TENSORS, net_run takes host pointers: it copies, runs, copies back and waits. Its device memory, the
 *   workspace too, is allocated by the first such run and kept in the state until net_fini. */

/* All fields may be zero, and a NULL coat_options * is the same as all zero: one thread, workspace from malloc. */
typedef struct coat_options {
  size_t struct_size;                    /* sizeof(coat_options) */
  void *state;                           /* as filled by net_init; NULL when net_state_size() is 0 */
  void *workspace;                       /* aligned to 64 bytes; NULL: from alloc, or else from malloc, for each run */
  size_t workspace_size;                 /* bytes at workspace */
  void *(*alloc)(void *ctx, size_t size, size_t alignment); /* NULL: malloc; NULL on failure */
  void (*free)(void *ctx, void *ptr, size_t size);          /* given exactly when alloc is */
  void *alloc_ctx;
  coat_parallel_for_fn parallel_for;     /* NULL: on the calling thread */
  void *parallel_ctx;
  int32_t threads;                       /* most workers that parallel_for uses; 0 counts as 1 */
  uint32_t flags;                        /* enum coat_run_flags */
  const void *weights;                   /* the bytes of net.weights, 64-byte aligned; only for --weights=file */
  coat_profile_fn profile;
  void *profile_ctx;
  void *stream;                          /* CUstream of a CUDA model; ignored by CPU models */
  char *error;                           /* gets a NUL-terminated message when the result is not COAT_OK; may be NULL */
  size_t error_size;                     /* bytes at error; longer messages are cut */
} coat_options;

/* ---- What a library says about itself --------------------------------------------------------------------------- */

/* One dimension. `size` >= 0: static. Otherwise it depends on symbols: `symbol` >= 0 is the index of the one symbol it
 * equals, -1 an expression of symbols. `text` is "3", "N" or "2*N + 1". `code` is private to the library.
 *
 * How much of an output there is may depend on the data. `count` is then 1 + the index of the output, one int64, that
 * says it after a run, and what net_info's shape() gives is the capacity: the most there may be. The elements are dense
 * in the shape of the counts. */
typedef struct coat_dim_info {
  int64_t size;
  int32_t symbol;
  int32_t count;
  const char *text;
  const int64_t *code;
} coat_dim_info;

enum coat_tensor_flags {
  COAT_TENSOR_OUTPUT = 1,   /* written by the model */
  COAT_TENSOR_OPTIONAL = 2, /* may be NULL */
  COAT_TENSOR_COUNT = 4     /* an output, one int64: how much there is of other outputs; those come first */
};

/* One input or output. The order in the table is the order of net_args and of net_run_flat: inputs, then outputs. */
typedef struct coat_tensor_info {
  const char *name;          /* as in the model */
  const char *field;         /* as in net_args */
  int32_t dtype;             /* enum coat_dtype */
  int32_t rank;
  uint32_t flags;            /* enum coat_tensor_flags */
  uint32_t reserved;
  const coat_dim_info *dims; /* rank of them */
} coat_tensor_info;

/* A symbolic dimension and the values it may take, both ends included. The order is that of net_run_flat's dims. */
typedef struct coat_symbol_info {
  const char *name;          /* as in the model */
  const char *field;         /* as in net_args */
  int64_t min, max;
} coat_symbol_info;

/* A pair that may be one buffer, as indices into tensors. */
typedef struct coat_alias_info {
  int32_t input, output;
} coat_alias_info;

/* One launch of a kernel, as the profile callback numbers them. Symbolic dimensions count as 1 in flops and bytes. */
typedef struct coat_kernel_info {
  const char *name;          /* kernel function without the model's prefix; equal kernels are one function */
  const char *nodes;         /* names of the model's nodes it computes, joined by '+' */
  const char *ops;           /* kinds of op, root first, joined by '+', such as "conv+add+relu" */
  int64_t flops;             /* nominal floating-point operations */
  int64_t bytes;             /* read and written, each tensor once */
} coat_kernel_info;

enum coat_device {
  COAT_DEVICE_CPU = 0,
  COAT_DEVICE_CUDA = 1
};

typedef struct coat_model_info {
  size_t struct_size;        /* of this struct as the library knows it */
  int32_t abi;               /* COAT_ABI when the library was compiled */
  int32_t device;            /* enum coat_device */
  const char *name;          /* prefix of every symbol */
  const char *compiler;      /* "coat 0.1.0" */
  const char *source_hash;   /* of the model's bytes and the flags, in hexadecimal */
  int32_t input_count, output_count, symbol_count, alias_count, isa_count, kernel_count;
  const coat_tensor_info *tensors;   /* input_count inputs, then output_count outputs */
  const coat_symbol_info *symbols;
  const coat_alias_info *aliases;
  const char *const *isas;           /* best first; the first one that the CPU has is used */
  const coat_kernel_info *kernels;
  size_t weights_size;               /* bytes expected at coat_options::weights; 0 when weights are inside */
  /* The functions of net.h, for loaders that know a library only through coat_model_v1. */
  int (*run)(void *const *tensors, const int64_t *dims, const coat_options *options);
  size_t (*workspace_size)(const int64_t *dims, const coat_options *options);
  /* Writes the rank dimensions of tensor `index` for the given values of the symbols. */
  void (*shape)(int32_t index, const int64_t *dims, int64_t *shape);
  size_t (*state_size)(void);
  int (*init)(void *state, const coat_options *options);
  void (*fini)(void *state);
  const char *(*strerror)(int code);
} coat_model_info;

/* Every .so exports `coat_model_v1`, which returns its net_info(): one loader runs any coat library. */
typedef const coat_model_info *(*coat_model_v1_fn)(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
