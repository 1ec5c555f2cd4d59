/* workspace.h: workspace and weights, the caller's or our own. Part of model.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_WORKSPACE_H
#define COAT_WORKSPACE_H

#include "messages.h"

void *malloc(size_t size);
void free(void *ptr);

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

#endif
