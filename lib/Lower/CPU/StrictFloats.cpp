// coat-strict-floats: enters functions of arith, math and vector ops; leaves the same without fused multiply-adds and
// without fast-math flags, so that LLVM may neither fuse nor reorder. Left alone: integers, everything else.
//
// One pass near the end, instead of a switch in every pass that writes a multiply-add: nothing behind it makes new
// ones.
//
//   %0 = vector.fma %a, %b, %c  ->  %p = arith.mulf %a, %b; %0 = arith.addf %p, %c
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace coat {
#define GEN_PASS_DEF_STRICTFLOATS
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
struct StrictFloats : coat::impl::StrictFloatsBase<StrictFloats> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (isa<vector::FMAOp, math::FmaOp>(op))
        return split(op);
      // Of the ops that have flags, those of 16-bit and 32-bit floats alike.
      if (auto fast = dyn_cast<arith::ArithFastMathInterface>(op))
        op->setAttr(fast.getFastMathAttrName(),
                    arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::none));
    });
  }

  static void split(Operation *fma) {
    OpBuilder b(fma);
    Value product = arith::MulFOp::create(b, fma->getLoc(), fma->getOperand(0), fma->getOperand(1));
    fma->replaceAllUsesWith(arith::AddFOp::create(b, fma->getLoc(), product, fma->getOperand(2)));
    fma->erase();
  }
};
} // namespace
