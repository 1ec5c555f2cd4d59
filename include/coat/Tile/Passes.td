// Passes of the Tile stage.
#ifndef COAT_TILE_PASSES_TD
#define COAT_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif
