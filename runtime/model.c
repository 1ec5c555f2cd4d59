/* model.c: what a compiled model does around its kernels: checks arguments, finds memory, picks the ISA, runs tasks.
 *
 * Compiled to bitcode when coat is built and linked by lib/Emit with the tables of one model (see model.h), so all of
 * it is specialised by constants there. Freestanding: no libc header, no varargs, no locale, no stdio; it calls malloc,
 * free, memcpy and memset, and its one changing global is the word that caches the chosen ISA. Re-entrant.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "dims.h"
#include "isa.h"
#include "messages.h"
#include "tensors.h"
#include "workspace.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* Fills `full` from what the caller gave, zero where it gave nothing, and checks what does not depend on a tensor. */
static int readOptions(coat_options *full, const coat_options *given) {
  memset(full, 0, sizeof *full);
  full->threads = 1; /* one scratch even when nothing is asked for */
  if (!given)
    return COAT_OK;
  if (given->struct_size < sizeof(size_t))
    return COAT_ERROR_STRUCT_SIZE;
  size_t known = given->struct_size < sizeof *full ? given->struct_size : sizeof *full;
  memcpy(full, given, known & ~(sizeof(size_t) - 1)); /* whole fields only */
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

/* ---- Tasks ------------------------------------------------------------------------------------------------------- */

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

/* ---- Exports ----------------------------------------------------------------------------------------------------- */

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
  if (!frame.failed)
    return COAT_OK;
  text(m, coat_the_model.requirements[frame.failed - 1]);
  return COAT_ERROR_VALUE;
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
  case COAT_ERROR_VALUE:
    return "the values of an input do not fit";
  default:
    return "unknown code";
  }
}
