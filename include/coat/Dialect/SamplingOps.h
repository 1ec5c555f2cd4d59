// Ops that read an image at computed positions, or add windows up to one: formula ops.
#ifndef COAT_DIALECT_SAMPLINGOPS_H
#define COAT_DIALECT_SAMPLINGOPS_H

#include "coat/Dialect/Coat.h"

#define GET_OP_CLASSES
#include "coat/Dialect/SamplingOps.h.inc"

#endif
