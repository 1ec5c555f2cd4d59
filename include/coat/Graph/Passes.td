// Passes of the Graph stage.
#ifndef COAT_GRAPH_PASSES_TD
#define COAT_GRAPH_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
