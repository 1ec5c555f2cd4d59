// Passes of the Memory stage.
#ifndef COAT_MEMORY_PASSES_TD
#define COAT_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
