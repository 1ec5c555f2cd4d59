/* interface.h: the functions that every compiled model exports, whatever it runs on: options read, arguments unpacked and
 * checked. Part of model.c and of cuda.c, which define what it declares first.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_INTERFACE_H
#define COAT_INTERFACE_H

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

/* ---- What differs --------------------------------------------------------------------------------------------------- */

/* Runs the model; symbols, pointers and their dimensions have been checked. */
static int runChecked(message *m, void *const *tensors, const int64_t *symbols, const int64_t *dims,
                      const coat_options *options);

/* Memory for the CPU, from the hooks where they give such. */
static void *takeHost(const coat_options *options, size_t size, size_t alignment);
static void giveHost(const coat_options *options, void *pointer, size_t size);

/* ---- Exports ----------------------------------------------------------------------------------------------------- */

/* Small models keep the dimensions of a run on the stack; the workspace has no place for them, as its size is a
 * promise. */
enum { stackDims = 256 };

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
  if (coat_the_model.dim_count > stackDims && !(dims = takeHost(&options, dimBytes, sizeof *dims))) {
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
    giveHost(&options, dims, dimBytes);
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

#endif
