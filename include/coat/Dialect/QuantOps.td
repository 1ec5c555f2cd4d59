// Quantization and integer products.
#ifndef COAT_DIALECT_QUANTOPS_TD
#define COAT_DIALECT_QUANTOPS_TD

include "coat/Dialect/CoatBase.td"

#endif
