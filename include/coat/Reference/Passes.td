// Passes of the Reference stage.
#ifndef COAT_REFERENCE_PASSES_TD
#define COAT_REFERENCE_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
