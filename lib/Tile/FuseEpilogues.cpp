// coat-fuse-epilogues: enters kernels with coat ops; leaves their element-wise ops as one linalg.generic a chain. Left
// alone: every other op.
//
// Why before tiling: the tile of a chain is then one op that reads the tile of the root, so Vector can compute it on
// the accumulators while they are in registers.
#include "coat/Dialect/Coat.h"
#include "coat/Tile/LowerToLinalg.h"
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace coat {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "coat/Tile/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
/// Fusion is for element-wise chains: a producer that reduces, or whose values several ops read, stays on its own.
bool joins(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return producer && consumer && producer.getNumReductionLoops() == 0 && consumer.getNumReductionLoops() == 0 &&
         llvm::all_of(producer->getUsers(),
                      [&](Operation *user) { return user == consumer || isa<tensor::DimOp>(user); });
}

struct FuseEpilogues : coat::impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    if (!getOperation()->hasAttr("coat.kernel"))
      return;
    RewritePatternSet patterns(&getContext());
    coat::populateElementwiseToLinalgPatterns(patterns);
    linalg::populateElementwiseOpsFusionPatterns(patterns, joins);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, &getContext());
    // Sizes come from the kernel's arguments: a size asked of a result would keep the untiled op alive.
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
