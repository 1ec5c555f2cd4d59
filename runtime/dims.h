/* dims.h: sizes of tensors from the values of the symbols, and the check of these values. Part of
 * model.c.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_DIMS_H
#define COAT_DIMS_H

#include "messages.h"

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

#endif
