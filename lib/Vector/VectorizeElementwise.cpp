// coat-vectorize-elementwise: enters element-wise linalg.generic on tensors; leaves loops over 1-D vectors. Left alone:
// reductions, transposing reads, booleans (loops of scalars do them), functions without a schedule.
#include "Elementwise.h"
#include "coat/Dialect/Coat.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
#define GEN_PASS_DEF_VECTORIZEELEMENTWISE
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// The last loop: vectors, then one masked vector for what remains.
Value alongLast(VectorBuilder &v, linalg::GenericOp op, ValueRange outer, OpFoldResult size, Value tensor) {
  auto at = [&](Value position, Value mask, Value into) {
    SmallVector<Value> point(outer);
    point.push_back(position);
    return v.store(elementwiseAt(v, op, point, mask), into, point, mask);
  };
  AffineExpr d0 = v.builder.getAffineDimExpr(0);
  OpFoldResult full = affine::makeComposedFoldedAffineApply(v.builder, v.loc, d0.floorDiv(v.lanes) * v.lanes, {size});
  tensor = v.loopOver(v.builder.getIndexAttr(0), full, v.lanes, tensor,
                      [&](Value position, Value into) { return at(position, Value(), into); });
  return v.loopOver(full, size, v.lanes, tensor, [&](Value position, Value into) {
    OpFoldResult left = affine::makeComposedFoldedAffineApply(v.builder, v.loc, v.builder.getAffineDimExpr(1) - d0,
                                                              {getAsOpFoldResult(position), size});
    return at(position, v.mask(left), into);
  });
}

Value overLoops(VectorBuilder &v, linalg::GenericOp op, SmallVector<Value> outer, ArrayRef<OpFoldResult> sizes,
                Value tensor) {
  if (sizes.size() == 1)
    return alongLast(v, op, outer, sizes[0], tensor);
  return v.loopOver(v.builder.getIndexAttr(0), sizes[0], 1, tensor, [&](Value iv, Value inner) {
    SmallVector<Value> next = outer;
    next.push_back(iv);
    return overLoops(v, op, next, sizes.drop_front(), inner);
  });
}

struct VectorizeElementwise : coat::impl::VectorizeElementwiseBase<VectorizeElementwise> {
  void runOnOperation() override {
    auto schedule = getOperation()->getAttrOfType<ScheduleAttr>("coat.schedule");
    if (!schedule)
      return;
    SmallVector<linalg::GenericOp> generics;
    getOperation().walk([&](linalg::GenericOp op) {
      if (isElementwiseOnVectors(op))
        generics.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : generics) {
      rewriter.setInsertionPoint(op);
      VectorBuilder v(rewriter, op.getLoc(), schedule.getVector());
      Value init = op.getDpsInits()[0];
      SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), init);
      rewriter.replaceOp(op, overLoops(v, op, {}, sizes, init));
    }
  }
};
} // namespace
