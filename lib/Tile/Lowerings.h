// The pattern sets of coat-lower-to-linalg, one a file, and the frame that its patterns share.
#ifndef COAT_LIB_TILE_LOWERINGS_H
#define COAT_LIB_TILE_LOWERINGS_H

#include "coat/Dialect/Coat.h"
#include "mlir/IR/PatternMatch.h"

namespace coat {
/// Replaces an op by the values that `lower` builds; a schedule moves on to the op that makes the result.
template <typename Op> struct Lowering : mlir::OpRewritePattern<Op> {
  using mlir::OpRewritePattern<Op>::OpRewritePattern;

  virtual mlir::FailureOr<llvm::SmallVector<mlir::Value>> lower(Op op, mlir::PatternRewriter &rewriter) const = 0;

  mlir::LogicalResult matchAndRewrite(Op op, mlir::PatternRewriter &rewriter) const override {
    mlir::FailureOr<llvm::SmallVector<mlir::Value>> values = lower(op, rewriter);
    if (mlir::failed(values))
      return mlir::failure();
    if (mlir::Attribute schedule = op->getAttr("coat.schedule"))
      if (mlir::Operation *maker = values->front().getDefiningOp())
        maker->setAttr("coat.schedule", schedule);
    for (auto [value, result] : llvm::zip(*values, op->getResults()))
      if (value.getType() != result.getType())
        value = mlir::tensor::CastOp::create(rewriter, op.getLoc(), result.getType(), value);
    rewriter.replaceOp(op, *values);
    return mlir::success();
  }
};

void populateReduceToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateNormToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePoolToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populatePoolWithIndicesToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateResizeToLinalgPatterns(mlir::RewritePatternSet &patterns);
/// gather and pad.
void populateMoveToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateContractToLinalgPatterns(mlir::RewritePatternSet &patterns);
void populateAttentionToLinalgPatterns(mlir::RewritePatternSet &patterns);
} // namespace coat

#endif
