// Passes of the Lower stage.
#ifndef COAT_LOWER_PASSES_TD
#define COAT_LOWER_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
