// Passes of the Kernels stage.
#ifndef COAT_KERNELS_PASSES_TD
#define COAT_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
