/* model.c: what a compiled model does around its kernels: checks arguments, finds memory, picks the ISA, runs tasks.
 *
 * Compiled to bitcode when coat is built and linked by lib/Emit with the tables of one model (see model.h), so all of
 * it is specialised by constants there. Freestanding: no libc header, no varargs, no locale, no stdio; it calls malloc,
 * free, memcpy and memset, and its one changing global is the word that caches the chosen ISA. Re-entrant.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "model.h"

void *malloc(size_t size);
void free(void *ptr);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

/* ---- Messages --------------------------------------------------------------------------------------------------- */

/* Appends to the caller's error buffer; every append keeps it NUL-terminated and cuts what does not fit. */
typedef struct {
  char *at;
  size_t left;
} message;

static message messageOf(const coat_options *options) {
  message m = {options->error, options->error ? options->error_size : 0};
  if (m.left)
    *m.at = 0;
  return m;
}

static void text(message *m, const char *s) {
  for (; *s && m->left > 1; ++s, --m->left)
    *m->at++ = *s;
  if (m->left)
    *m->at = 0;
}

static void number(message *m, int64_t value) {
  char digits[24];
  char *end = digits + sizeof digits - 1;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  *end = 0;
  do
    *--end = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0)
    *--end = '-';
  text(m, end);
}

/* ---- Options ---------------------------------------------------------------------------------------------------- */

/* Fills `full` from what the caller gave, zero where it gave nothing, and checks what does not depend on a tensor. */
static int readOptions(coat_options *full, const coat_options *given) {
  memset(full, 0, sizeof *full);
  full->threads = 1; /* one scratch even when nothing is asked for */
  if (!given)
    return COAT_OK;
  if (given->struct_size < sizeof(size_t))
    return COAT_ERROR_STRUCT_SIZE;
  memcpy(full, given, given->struct_size < sizeof *full ? given->struct_size : sizeof *full);
  message m = messageOf(full);
  if (!full->alloc != !full->free) {
    text(&m, "options.alloc and options.free: expected both or none, got one");
    return COAT_ERROR_OPTIONS;
  }
  if (full->threads < 0) {
    text(&m, "options.threads = ");
    number(&m, full->threads);
    text(&m, ", expected 0 or more");
    return COAT_ERROR_OPTIONS;
  }
  if (full->threads > 1 && !full->parallel_for) {
    text(&m, "options.threads = ");
    number(&m, full->threads);
    text(&m, ", expected options.parallel_for, got NULL");
    return COAT_ERROR_OPTIONS;
  }
  if (full->threads == 0)
    full->threads = 1;
  return COAT_OK;
}

/* ---- Dimensions ------------------------------------------------------------------------------------------------- */

static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int64_t evaluate(const int64_t *code, const int64_t *symbols) {
  int64_t stack[COAT_CODE_DEPTH];
  int64_t *top = stack;
  for (;;) {
    switch (*code++) {
    case COAT_CODE_CONST:
      *top++ = *code++;
      continue;
    case COAT_CODE_SYMBOL:
      *top++ = symbols[*code++];
      continue;
    case COAT_CODE_ADD:
      top[-2] = top[-2] + top[-1];
      break;
    case COAT_CODE_MUL:
      top[-2] = top[-2] * top[-1];
      break;
    case COAT_CODE_FLOORDIV:
      top[-2] = floorDiv(top[-2], top[-1]);
      break;
    case COAT_CODE_CEILDIV:
      top[-2] = -floorDiv(-top[-2], top[-1]);
      break;
    case COAT_CODE_MOD:
      top[-2] = top[-2] - floorDiv(top[-2], top[-1]) * top[-1];
      break;
    default:
      return top[-1];
    }
    --top;
  }
}

static int64_t sizeOf(const coat_dim_info *dim, const int64_t *symbols) {
  if (dim->size >= 0)
    return dim->size;
  return dim->symbol >= 0 ? symbols[dim->symbol] : evaluate(dim->code, symbols);
}

void coat_shape(int32_t index, const int64_t *dims, int64_t *shape) {
  const coat_tensor_info *tensor = &coat_the_model.info.tensors[index];
  for (int32_t i = 0; i < tensor->rank; ++i)
    shape[i] = sizeOf(&tensor->dims[i], dims);
}

static int32_t tensorCount(void) { return coat_the_model.info.input_count + coat_the_model.info.output_count; }

/* "image.N": the first tensor that has the symbol, and the symbol. */
static void nameSymbol(message *m, int32_t symbol) {
  for (int32_t t = 0; t < tensorCount(); ++t)
    for (int32_t i = 0; i < coat_the_model.info.tensors[t].rank; ++i)
      if (coat_the_model.info.tensors[t].dims[i].symbol == symbol) {
        text(m, coat_the_model.info.tensors[t].name);
        text(m, ".");
        text(m, coat_the_model.info.symbols[symbol].name);
        return;
      }
  text(m, coat_the_model.info.symbols[symbol].name);
}

static int checkSymbols(message *m, const int64_t *symbols) {
  if (coat_the_model.info.symbol_count && !symbols) {
    text(m, "dims: expected one value for each symbol, got NULL");
    return COAT_ERROR_NULL;
  }
  for (int32_t i = 0; i < coat_the_model.info.symbol_count; ++i) {
    const coat_symbol_info *symbol = &coat_the_model.info.symbols[i];
    if (symbols[i] >= symbol->min && symbols[i] <= symbol->max)
      continue;
    nameSymbol(m, i);
    text(m, " = ");
    number(m, symbols[i]);
    text(m, ", compiled for ");
    number(m, symbol->min);
    text(m, "..");
    number(m, symbol->max);
    return COAT_ERROR_DIM;
  }
  return COAT_OK;
}

/* ---- Tensors ---------------------------------------------------------------------------------------------------- */

static int elementBits(int32_t dtype) {
  switch (dtype) {
  case COAT_I4:
  case COAT_U4:
    return 4;
  case COAT_BOOL:
  case COAT_I8:
  case COAT_U8:
  case COAT_F8E4M3FN:
  case COAT_F8E5M2:
    return 8;
  case COAT_I16:
  case COAT_U16:
  case COAT_F16:
  case COAT_BF16:
    return 16;
  case COAT_I32:
  case COAT_U32:
  case COAT_F32:
    return 32;
  default:
    return 64;
  }
}

/* Bytes of a tensor whose dimensions are `dims`. */
static size_t byteSize(const coat_tensor_info *tensor, const int64_t *dims) {
  int64_t elements = 1;
  for (int32_t i = 0; i < tensor->rank; ++i)
    elements *= dims[i];
  return ((size_t)elements * (size_t)elementBits(tensor->dtype) + 7) / 8;
}

static int checkPointer(message *m, const coat_tensor_info *tensor, const void *pointer, size_t bytes) {
  if (!pointer) {
    if ((tensor->flags & COAT_TENSOR_OPTIONAL) || bytes == 0)
      return COAT_OK;
    text(m, tensor->name);
    text(m, ": expected a pointer, got NULL");
    return COAT_ERROR_NULL;
  }
  int alignment = elementBits(tensor->dtype) < 8 ? 1 : elementBits(tensor->dtype) / 8;
  if (((uintptr_t)pointer & (uintptr_t)(alignment - 1)) == 0)
    return COAT_OK;
  text(m, tensor->name);
  text(m, ": expected a pointer aligned to ");
  number(m, alignment);
  text(m, " bytes, got one at offset ");
  number(m, (int64_t)((uintptr_t)pointer & (uintptr_t)(alignment - 1)));
  return COAT_ERROR_ALIGNMENT;
}

/* The same buffer for both ends of a listed pair is fine; partly shifted ones never are. */
static int mayAlias(int32_t first, int32_t second, const void *a, const void *b) {
  for (int32_t i = 0; i < coat_the_model.info.alias_count; ++i)
    if (coat_the_model.info.aliases[i].input == first && coat_the_model.info.aliases[i].output == second)
      return a == b;
  return 0;
}

static int checkOverlap(message *m, void *const *tensors, int32_t output, const int64_t *dims, size_t bytes) {
  const char *begin = tensors[output];
  for (int32_t other = 0; other < output; ++other) {
    const char *otherBegin = tensors[other];
    size_t otherBytes = byteSize(&coat_the_model.info.tensors[other], dims);
    dims += coat_the_model.info.tensors[other].rank;
    if (!begin || !otherBegin || !bytes || !otherBytes)
      continue;
    if (begin >= otherBegin + otherBytes || otherBegin >= begin + bytes || mayAlias(other, output, otherBegin, begin))
      continue;
    text(m, coat_the_model.info.tensors[output].name);
    text(m, ": expected memory of its own, got an overlap with ");
    text(m, coat_the_model.info.tensors[other].name);
    return COAT_ERROR_OVERLAP;
  }
  return COAT_OK;
}

static int checkTensors(message *m, void *const *tensors, const int64_t *dims) {
  if (!tensors) {
    text(m, "tensors: expected a pointer, got NULL");
    return COAT_ERROR_NULL;
  }
  const int64_t *dimsOfTensor = dims;
  for (int32_t t = 0; t < tensorCount(); ++t) {
    const coat_tensor_info *tensor = &coat_the_model.info.tensors[t];
    size_t bytes = byteSize(tensor, dimsOfTensor);
    dimsOfTensor += tensor->rank;
    int status = checkPointer(m, tensor, tensors[t], bytes);
    if (!status && (tensor->flags & COAT_TENSOR_OUTPUT))
      status = checkOverlap(m, tensors, t, dims, bytes);
    if (status)
      return status;
  }
  return COAT_OK;
}

/* ---- ISA -------------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
  __asm__("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}

static uint32_t enabledState(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static int all(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

/* The bits of coat_cpu_feature that this CPU and operating system have. Leaves and bits: Intel SDM volume 2, CPUID. */
static uint64_t cpuFeatures(void) {
  uint32_t max[4], one[4], seven[4] = {0}, sevenOne[4] = {0}, extMax[4], ext[4] = {0};
  cpuid(0, 0, max);
  cpuid(1, 0, one);
  if (max[0] >= 7) {
    cpuid(7, 0, seven);
    if (seven[0] >= 1)
      cpuid(7, 1, sevenOne);
  }
  cpuid(0x80000000u, 0, extMax);
  if (extMax[0] >= 0x80000001u)
    cpuid(0x80000001u, 0, ext);

  /* sse3 0, ssse3 9, cx16 13, sse4.1 19, sse4.2 20, popcnt 23; lahf 0 of the extended leaf */
  if (!all(one[2], 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23) || !all(ext[2], 1u << 0))
    return 0;
  uint64_t features = COAT_CPU_X86_64_V2;
  /* osxsave 27, then XCR0: xmm 1, ymm 2 */
  if (!all(one[2], 1u << 27) || !all(enabledState(), 1u << 1 | 1u << 2))
    return features;
  /* fma 12, movbe 22, avx 28, f16c 29; bmi 3, avx2 5, bmi2 8; lzcnt 5 */
  if (!all(one[2], 1u << 12 | 1u << 22 | 1u << 28 | 1u << 29) || !all(seven[1], 1u << 3 | 1u << 5 | 1u << 8) ||
      !all(ext[2], 1u << 5))
    return features;
  features |= COAT_CPU_X86_64_V3;
  if (all(sevenOne[0], 1u << 4))
    features |= COAT_CPU_AVX_VNNI;
  /* XCR0: opmask 5, zmm 6 and 7; f 16, dq 17, cd 28, bw 30, vl 31 */
  if (!all(enabledState(), 1u << 5 | 1u << 6 | 1u << 7) ||
      !all(seven[1], 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31))
    return features;
  features |= COAT_CPU_X86_64_V4;
  if (all(seven[2], 1u << 11))
    features |= COAT_CPU_AVX512_VNNI;
  if (all(seven[3], 1u << 23))
    features |= COAT_CPU_AVX512_FP16;
  if (all(sevenOne[0], 1u << 5))
    features |= COAT_CPU_AVX512_BF16;
  return features;
}
#else
static uint64_t cpuFeatures(void) { return ~UINT64_C(0); }
#endif

/* 0: not asked yet; k: ISA k-1; UINT32_MAX: none. Racing threads write the same value, so relaxed order does. */
static uint32_t chosenIsa;

static const coat_isa *chooseIsa(void) {
  uint32_t chosen = __atomic_load_n(&chosenIsa, __ATOMIC_RELAXED);
  if (chosen == 0) {
    uint64_t features = cpuFeatures();
    chosen = UINT32_MAX;
    for (int32_t i = coat_the_model.info.isa_count; i-- > 0;)
      if ((coat_the_model.isas[i].features & ~features) == 0)
        chosen = (uint32_t)i + 1;
    __atomic_store_n(&chosenIsa, chosen, __ATOMIC_RELAXED);
  }
  return chosen == UINT32_MAX ? 0 : &coat_the_model.isas[chosen - 1];
}

/* ---- Memory ----------------------------------------------------------------------------------------------------- */

static size_t roundUp(size_t size) { return (size + (COAT_ALIGNMENT - 1)) & ~(size_t)(COAT_ALIGNMENT - 1); }

/* The arena, then one scratch a worker. */
static size_t workspaceBytes(const coat_options *options) {
  return roundUp(coat_the_model.workspace) + roundUp(coat_the_model.scratch) * (size_t)options->threads;
}

/* Memory from the caller's hooks, or else from malloc; NULL on failure. */
static void *take(const coat_options *options, size_t size, size_t alignment) {
  return options->alloc ? options->alloc(options->alloc_ctx, size, alignment) : malloc(size);
}

static void give(const coat_options *options, void *pointer, size_t size) {
  if (options->free)
    options->free(options->alloc_ctx, pointer, size);
  else
    free(pointer);
}

/* What was allocated here and has to be freed after the run; NULL when the caller's workspace is used. */
typedef struct {
  char *base;
  void *owned;
  size_t size;
} memory;

static int findWorkspace(message *m, const coat_options *options, memory *found) {
  size_t need = workspaceBytes(options);
  found->base = options->workspace;
  found->owned = 0;
  found->size = need + COAT_ALIGNMENT - 1; /* malloc aligns to less, and so may hooks that ignore the alignment */
  if (need == 0)
    return COAT_OK;
  if (options->workspace) {
    if ((uintptr_t)options->workspace % COAT_ALIGNMENT) {
      text(m, "options.workspace: expected a pointer aligned to 64 bytes, got one at offset ");
      number(m, (int64_t)((uintptr_t)options->workspace % COAT_ALIGNMENT));
      return COAT_ERROR_ALIGNMENT;
    }
    if (options->workspace_size >= need)
      return COAT_OK;
    text(m, "options.workspace_size: expected at least ");
    number(m, (int64_t)need);
    text(m, " bytes, got ");
    number(m, (int64_t)options->workspace_size);
    return COAT_ERROR_WORKSPACE;
  }
  found->owned = take(options, found->size, COAT_ALIGNMENT);
  if (!found->owned) {
    text(m, "workspace: expected ");
    number(m, (int64_t)need);
    text(m, " bytes from the allocator, got NULL");
    return COAT_ERROR_MEMORY;
  }
  found->base = (char *)roundUp((uintptr_t)found->owned);
  return COAT_OK;
}

static void releaseWorkspace(const coat_options *options, const memory *found) {
  if (found->owned)
    give(options, found->owned, found->size);
}

static int findWeights(message *m, const coat_options *options, const char **weights) {
  *weights = coat_the_model.weights;
  if (coat_the_model.info.weights_size == 0)
    return COAT_OK;
  *weights = options->weights;
  if (!*weights) {
    text(m, "options.weights: expected the bytes of the weights file, got NULL");
    return COAT_ERROR_NULL;
  }
  if ((uintptr_t)*weights % COAT_ALIGNMENT == 0)
    return COAT_OK;
  text(m, "options.weights: expected a pointer aligned to 64 bytes, got one at offset ");
  number(m, (int64_t)((uintptr_t)*weights % COAT_ALIGNMENT));
  return COAT_ERROR_ALIGNMENT;
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const coat_part *parts;
  char *scratch;
  size_t stride;
} launch_context;

/* Tasks are numbered through all parts. */
static void runTask(void *context, int64_t task, int worker) {
  const launch_context *launch = context;
  const coat_part *part = launch->parts;
  for (; task >= part->n; ++part)
    task -= part->n;
  part->thunk(part->args, task, launch->scratch + (size_t)worker * launch->stride);
}

static void runParts(const coat_frame *frame, int32_t count, const coat_part *parts) {
  const coat_options *options = frame->options;
  launch_context context = {parts, frame->scratch, frame->scratch_stride};
  int64_t n = 0;
  for (int32_t i = 0; i < count; ++i)
    n += parts[i].n;
  if (options->parallel_for && options->threads > 1 && n > 1)
    options->parallel_for(options->parallel_ctx, n, runTask, &context);
  else
    for (int32_t i = 0; i < count; ++i)
      for (int64_t task = 0; task < parts[i].n; ++task)
        parts[i].thunk(parts[i].args, task, frame->scratch);
}

/* A profile has the time of each launch, so it runs them one after the other. */
void coat_parallel(coat_frame *frame, int32_t launch, int32_t count, const coat_part *parts) {
  const coat_options *options = frame->options;
  if (!options->profile) {
    runParts(frame, count, parts);
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    options->profile(options->profile_ctx, launch + i, 1);
    runParts(frame, 1, parts + i);
    options->profile(options->profile_ctx, launch + i, 0);
  }
}

/* ---- Exports ---------------------------------------------------------------------------------------------------- */

/* Small models keep the dimensions of a run on the stack; the workspace has no place for them, as its size is a
 * promise. */
enum { stackDims = 256 };

static int runChecked(message *m, void *const *tensors, const int64_t *symbols, const int64_t *dims,
                      const coat_options *options) {
  const coat_isa *isa = chooseIsa();
  if (!isa) {
    text(m, "cpu: expected ");
    text(m, coat_the_model.info.isas[coat_the_model.info.isa_count - 1]);
    text(m, ", got less");
    return COAT_ERROR_CPU;
  }
  coat_frame frame = {.tensors = tensors, .dims = dims, .symbols = symbols, .options = options};
  memory found;
  int status = findWeights(m, options, &frame.weights);
  if (!status)
    status = findWorkspace(m, options, &found);
  if (status)
    return status;
  frame.workspace = found.base;
  frame.scratch = found.base + roundUp(coat_the_model.workspace);
  frame.scratch_stride = roundUp(coat_the_model.scratch);
  isa->body(&frame);
  releaseWorkspace(options, &found);
  return COAT_OK;
}

int coat_export_run_flat(void *const *tensors, const int64_t *symbols, const coat_options *given) {
  coat_options options;
  int status = readOptions(&options, given);
  if (status)
    return status;
  message m = messageOf(&options);
  if ((status = checkSymbols(&m, symbols)))
    return status;

  int64_t onStack[stackDims];
  int64_t *dims = onStack;
  size_t dimBytes = (size_t)coat_the_model.dim_count * sizeof *dims;
  if (coat_the_model.dim_count > stackDims && !(dims = take(&options, dimBytes, sizeof *dims))) {
    text(&m, "dims: expected memory from the allocator, got NULL");
    return COAT_ERROR_MEMORY;
  }
  int64_t *at = dims;
  for (int32_t t = 0; t < tensorCount(); ++t) {
    coat_shape(t, symbols, at);
    at += coat_the_model.info.tensors[t].rank;
  }
  status = checkTensors(&m, tensors, dims);
  if (!status)
    status = runChecked(&m, tensors, symbols, dims, &options);
  if (dims != onStack)
    give(&options, dims, dimBytes);
  return status;
}

/* net_args is struct_size, the tensors' pointers, the symbols' values. */
typedef struct {
  size_t struct_size;
  void *words[];
} args_header;

static size_t argsSize(void) {
  return sizeof(size_t) + (size_t)tensorCount() * sizeof(void *) +
         (size_t)coat_the_model.info.symbol_count * sizeof(int64_t);
}

static const int64_t *symbolsOf(const args_header *args) { return (const int64_t *)&args->words[tensorCount()]; }

int coat_export_run(const void *pointer, const coat_options *given) {
  const args_header *args = pointer;
  if (args && args->struct_size >= argsSize())
    return coat_export_run_flat(args->words, symbolsOf(args), given);
  coat_options options;
  int status = readOptions(&options, given);
  if (status)
    return status;
  message m = messageOf(&options);
  if (!args) {
    text(&m, "args: expected a pointer, got NULL");
    return COAT_ERROR_NULL;
  }
  text(&m, "args.struct_size = ");
  number(&m, (int64_t)args->struct_size);
  text(&m, ", expected at least ");
  number(&m, (int64_t)argsSize());
  return COAT_ERROR_STRUCT_SIZE;
}

/* The arena is laid out for the largest sizes, so the dims do not matter yet; they are part of the promise. */
size_t coat_flat_workspace_size(const int64_t *dims, const coat_options *given) {
  (void)dims;
  coat_options options;
  return readOptions(&options, given) ? 0 : workspaceBytes(&options);
}

size_t coat_export_workspace_size(const void *args, const coat_options *given) {
  (void)args;
  return coat_flat_workspace_size(0, given);
}

const coat_model_info *coat_export_info(void) { return &coat_the_model.info; }
const coat_model_info *coat_model_v1(void) { return &coat_the_model.info; }

/* A CPU model keeps nothing between runs. */
size_t coat_export_state_size(void) { return 0; }

int coat_export_init(void *state, const coat_options *given) {
  (void)state;
  coat_options options;
  return readOptions(&options, given);
}

void coat_export_fini(void *state) { (void)state; }

const char *coat_export_strerror(int code) {
  switch (code) {
  case COAT_OK:
    return "success";
  case COAT_ERROR_STRUCT_SIZE:
    return "struct_size is not set or too small";
  case COAT_ERROR_NULL:
    return "a required pointer is NULL";
  case COAT_ERROR_ALIGNMENT:
    return "a pointer is not aligned";
  case COAT_ERROR_DIM:
    return "a dimension is outside its range";
  case COAT_ERROR_OVERLAP:
    return "an output overlaps another tensor";
  case COAT_ERROR_WORKSPACE:
    return "the workspace is too small";
  case COAT_ERROR_MEMORY:
    return "out of memory";
  case COAT_ERROR_CPU:
    return "the CPU lacks the instructions of this library";
  case COAT_ERROR_OPTIONS:
    return "options contradict each other";
  case COAT_ERROR_DEVICE:
    return "the device reported an error";
  default:
    return "unknown code";
  }
}
