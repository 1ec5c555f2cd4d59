/* tensors.h: checks of the tensors' pointers, before anything is computed. Part of model.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_TENSORS_H
#define COAT_TENSORS_H

#include "dims.h"
#include "elements.h"

/* Bytes of a tensor whose dimensions are `dims`. */
static size_t byteSize(const coat_tensor_info *tensor, const int64_t *dims) {
  int64_t elements = 1;
  for (int32_t i = 0; i < tensor->rank; ++i)
    elements *= dims[i];
  return ((size_t)elements * (size_t)coatElementBits(tensor->dtype) + 7) / 8;
}

static int checkPointer(message *m, const coat_tensor_info *tensor, const void *pointer, size_t bytes) {
  if (!pointer) {
    if ((tensor->flags & COAT_TENSOR_OPTIONAL) || bytes == 0)
      return COAT_OK;
    text(m, tensor->name);
    text(m, ": expected a pointer, got NULL");
    return COAT_ERROR_NULL;
  }
  int alignment = coatElementBits(tensor->dtype) < 8 ? 1 : coatElementBits(tensor->dtype) / 8;
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

#endif
