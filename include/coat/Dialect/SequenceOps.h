// Ops around attention, along a sequence: formula ops.
#ifndef COAT_DIALECT_SEQUENCEOPS_H
#define COAT_DIALECT_SEQUENCEOPS_H

#include "coat/Dialect/Coat.h"

#define GET_OP_CLASSES
#include "coat/Dialect/SequenceOps.h.inc"

#endif
