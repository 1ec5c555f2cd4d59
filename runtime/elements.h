/* elements.h: how large an element is; shared by the logic of a compiled model (C) and the tools (C++).
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifndef COAT_ELEMENTS_H
#define COAT_ELEMENTS_H

#include "coat.h"

static inline int coatElementBits(int32_t dtype) {
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

#endif
