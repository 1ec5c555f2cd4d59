// Quantization and integer products.
#ifndef COAT_DIALECT_QUANTOPS_H
#define COAT_DIALECT_QUANTOPS_H

#include "coat/Dialect/Coat.h"

#define GET_OP_CLASSES
#include "coat/Dialect/QuantOps.h.inc"

#endif
