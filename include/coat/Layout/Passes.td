// Passes of the Layout stage.
#ifndef COAT_LAYOUT_PASSES_TD
#define COAT_LAYOUT_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
