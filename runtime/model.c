/* model.c: what a model compiled for CPUs does around its kernels: finds memory, picks the ISA, runs tasks.
 *
 * Compiled to bitcode when coat is built and linked by lib/Emit with the tables of one model (see model.h), so all of
 * it is specialised by constants there. Freestanding: no libc header, no varargs, no locale, no stdio; it calls malloc,
 * free, memcpy and memset, and its one changing global is the word that caches the chosen ISA. Re-entrant.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "interface.h"
#include "isa.h"

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

/* ---- Runs -------------------------------------------------------------------------------------------------------- */

static void *takeHost(const coat_options *options, size_t size, size_t alignment) {
  return take(options, size, alignment);
}
static void giveHost(const coat_options *options, void *pointer, size_t size) { give(options, pointer, size); }

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

/* A CPU model keeps nothing between runs. */
size_t coat_export_state_size(void) { return 0; }

int coat_export_init(void *state, const coat_options *given) {
  (void)state;
  coat_options options;
  return readOptions(&options, given);
}

void coat_export_fini(void *state) { (void)state; }
