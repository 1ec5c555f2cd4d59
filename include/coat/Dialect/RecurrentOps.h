// Recurrences along a sequence: formula ops.
#ifndef COAT_DIALECT_RECURRENTOPS_H
#define COAT_DIALECT_RECURRENTOPS_H

#include "coat/Dialect/Coat.h"

#define GET_OP_CLASSES
#include "coat/Dialect/RecurrentOps.h.inc"

#endif
