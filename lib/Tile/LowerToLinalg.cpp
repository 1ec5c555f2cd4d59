// coat-lower-to-linalg: enters kernels with coat ops; leaves linalg.generic and tensor ops of the same values. With
// `before-tiling`, only the ops that have no TilingInterface of their own (gather, pad, resize, max pooling with
// indices): as generics they are cut by upstream's. Without, what is left inside the tiles once the
// microkernels have taken theirs. Left alone: reshapes, and attention with a cache, which Kernels has split.
#include "coat/Tile/LowerToLinalg.h"
#include "Lowerings.h"
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace coat {
#define GEN_PASS_DEF_LOWERTOLINALG
#include "coat/Tile/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
struct LowerToLinalg : coat::impl::LowerToLinalgBase<LowerToLinalg> {
  using LowerToLinalgBase::LowerToLinalgBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet list(context);
    coat::populateElementwiseToLinalgPatterns(list);
    coat::populateMoveToLinalgPatterns(list);
    coat::populateResizeToLinalgPatterns(list);
    coat::populatePoolWithIndicesToLinalgPatterns(list);
    if (!beforeTiling) {
      coat::populateReduceToLinalgPatterns(list);
      coat::populateNormToLinalgPatterns(list);
      coat::populatePoolToLinalgPatterns(list);
      coat::populateContractToLinalgPatterns(list);
      coat::populateAttentionToLinalgPatterns(list);
      tensor::populateDecomposeTensorConcatPatterns(list);
    }
    patterns = std::move(list);
    return success();
  }

  void runOnOperation() override {
    if (failed(applyPatternsGreedily(getOperation(), patterns)))
      signalPassFailure();
  }

  FrozenRewritePatternSet patterns;
};
} // namespace
