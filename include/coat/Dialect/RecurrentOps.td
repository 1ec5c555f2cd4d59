// Recurrences along a sequence: formula ops.
#ifndef COAT_DIALECT_RECURRENTOPS_TD
#define COAT_DIALECT_RECURRENTOPS_TD

include "coat/Dialect/CoatBase.td"

#endif
