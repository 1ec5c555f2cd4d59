// Ops that read an image at computed positions: formula ops.
#ifndef COAT_DIALECT_SAMPLINGOPS_TD
#define COAT_DIALECT_SAMPLINGOPS_TD

include "coat/Dialect/CoatBase.td"

#endif
