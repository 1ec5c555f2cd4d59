// The Tile stage: its passes in order, as the named pipeline coat-stage-tile.
#include "coat/Tile/Passes.h"

using namespace mlir;

void coat::buildTilePipeline(OpPassManager &pm) { (void)pm; }
