// Ops that pick or place elements by index or by order: formula ops.
#ifndef COAT_DIALECT_INDEXOPS_H
#define COAT_DIALECT_INDEXOPS_H

#include "coat/Dialect/Coat.h"

#define GET_OP_CLASSES
#include "coat/Dialect/IndexOps.h.inc"

#endif
