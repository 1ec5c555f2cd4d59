// coat-lower-math: math functions -> polynomials and instructions.
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace coat {
#define GEN_PASS_DEF_LOWERMATH
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
struct LowerMath : coat::impl::LowerMathBase<LowerMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns);
    math::populateExpansionPatterns(patterns, {"tan", "sinh", "cosh", "asinh", "acosh", "atanh", "powf", "exp2", "rsqrt",
                                               "roundf", "fpowi", "ipowi"});
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
