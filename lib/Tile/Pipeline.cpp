// The Tile stage: its passes in order, as the named pipeline coat-stage-tile.
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void coat::buildTilePipeline(OpPassManager &pm) {
  // Ops without a tiling of their own are cut as generics; the others keep their meaning until they are cut.
  pm.addPass(createLowerToLinalg({/*beforeTiling=*/true}));
  OpPassManager &func = pm.nest<func::FuncOp>();
  func.addPass(createFuseEpilogues());
  func.addPass(createTileKernels());
  // Nothing behind it asks for a sign: what does is an arith op by now.
  func.addPass(createDropSigns());
  // Bounds of symbolic loops are sizes of the kernel's arguments, not of a result that would stay alive for them.
  func.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  func.addPass(createCanonicalizerPass());
  func.addPass(createCSEPass());
}
