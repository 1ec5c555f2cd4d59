// Passes of the Vector stage.
#ifndef COAT_VECTOR_PASSES_TD
#define COAT_VECTOR_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
