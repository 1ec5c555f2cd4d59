// coat-lower-math: math functions -> polynomials and instructions.
//
// The generated code may call no library, and LLVM turns most of the math dialect, remf and arithmetic on 16-bit floats
// into calls. Before this pass every function of the model is still one op; after it, only arithmetic and what each
// supported CPU has as instructions (sqrt, floor, ceil, trunc, roundeven, fma) are left. Ops of f16 and bf16 are
// computed in f32.
//
//   %y = math.exp %x : vector<8xf32>  ->  %n = math.roundeven ..; %p = math.fma ..; .. ; %y = arith.mulf ..
#include "FloatMath.h"
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

namespace coat {
#define GEN_PASS_DEF_LOWERMATH
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;
using coat::FloatMath;

namespace {
bool isNarrow(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return element && element.getWidth() < 32;
}

Type inSingle(Type type) {
  Type f32 = Float32Type::get(type.getContext());
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(f32);
  return f32;
}

/// Ops of math (and remf) on f16, bf16 -> the same on f32. Does not apply to ops whose result is no float.
void widen(Operation *op, OpBuilder &b) {
  Location loc = op->getLoc();
  IRMapping map;
  for (Value operand : op->getOperands())
    if (isNarrow(operand.getType()))
      map.map(operand, arith::ExtFOp::create(b, loc, inSingle(operand.getType()), operand).getResult());
  Operation *wide = b.clone(*op, map);
  Type narrow = op->getResult(0).getType();
  if (isNarrow(narrow)) {
    wide->getResult(0).setType(inSingle(narrow));
    op->getResult(0).replaceAllUsesWith(arith::TruncFOp::create(b, loc, narrow, wide->getResult(0)));
  } else {
    op->replaceAllUsesWith(wide);
  }
  op->erase();
}

/// The value of `op`, or null for ops that stay.
Value expand(Operation *op, OpBuilder &b, bool fast) {
  FloatMath math(b, op->getLoc(), op->getResult(0).getType(), fast);
  Value x = op->getOperand(0);
  constexpr double log2e = 1.44269504088896340736, log10e = 0.434294481903251827651;
  // Whoever made the op says by `afn` that its argument is bounded.
  auto bounded = [&](arith::FastMathFlags flags) {
    return arith::bitEnumContainsAll(flags, arith::FastMathFlags::afn) && getElementTypeOrSelf(x.getType()).isF32();
  };
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp exp) { return bounded(exp.getFastmath()) ? math.expWithoutOverflow(x) : math.exp(x); })
      .Case([&](math::Exp2Op exp) { return bounded(exp.getFastmath()) ? math.exp2WithoutOverflow(x) : math.exp2(x); })
      .Case([&](math::ExpM1Op) { return math.expm1(x); })
      .Case([&](math::LogOp) { return math.log(x); })
      .Case([&](math::Log1pOp) { return math.log1p(x); })
      .Case([&](math::Log2Op) { return math.mul(math.log(x), math.constant(log2e)); })
      .Case([&](math::Log10Op) { return math.mul(math.log(x), math.constant(log10e)); })
      .Case([&](math::TanhOp) { return math.tanh(x); })
      .Case([&](math::ErfOp) { return math.erf(x); })
      .Case([&](math::SinOp) { return math.sin(x); })
      .Case([&](math::CosOp) { return math.cos(x); })
      .Case([&](math::TanOp) { return math.tan(x); })
      .Case([&](math::AsinOp) { return math.asin(x); })
      .Case([&](math::AcosOp) { return math.acos(x); })
      .Case([&](math::AtanOp) { return math.atan(x); })
      .Case([&](math::SinhOp) { return math.sinh(x); })
      .Case([&](math::CoshOp) { return math.cosh(x); })
      .Case([&](math::AsinhOp) { return math.asinh(x); })
      .Case([&](math::AcoshOp) { return math.acosh(x); })
      .Case([&](math::AtanhOp) { return math.atanh(x); })
      .Case([&](math::RoundOp) { return math.round(x); })
      .Case([&](math::PowFOp) { return math.pow(x, op->getOperand(1)); })
      .Case([&](arith::RemFOp) { return math.fmod(x, op->getOperand(1)); })
      .Default(Value());
}

/// f64 <-> 16 bits in two steps: the direct ones are calls. Does not apply to conversions from or to f32.
void convertInSteps(Operation *op, OpBuilder &b) {
  Type to = op->getResult(0).getType(), single = inSingle(to);
  Value middle;
  if (isa<arith::ExtFOp>(op)) {
    middle = arith::ExtFOp::create(b, op->getLoc(), single, op->getOperand(0));
    op->getResult(0).replaceAllUsesWith(arith::ExtFOp::create(b, op->getLoc(), to, middle));
  } else {
    middle = arith::TruncFOp::create(b, op->getLoc(), single, op->getOperand(0));
    op->getResult(0).replaceAllUsesWith(arith::TruncFOp::create(b, op->getLoc(), to, middle));
  }
  op->erase();
}

bool skipsSingle(Operation *op) {
  if (!isa<arith::ExtFOp, arith::TruncFOp>(op))
    return false;
  Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  return (isNarrow(from) && getElementTypeOrSelf(to).isF64()) || (isNarrow(to) && getElementTypeOrSelf(from).isF64());
}

bool isFloatFunction(Operation *op) {
  return (isa<math::MathDialect>(op->getDialect()) || isa<arith::RemFOp>(op)) && op->getNumResults() == 1 &&
         op->getNumOperands() > 0 && isa<FloatType>(getElementTypeOrSelf(op->getOperand(0).getType()));
}

struct LowerMath : coat::impl::LowerMathBase<LowerMath> {
  using LowerMathBase::LowerMathBase;
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<Operation *> narrow;
    function.walk([&](Operation *op) {
      if (isFloatFunction(op) && llvm::any_of(op->getOperandTypes(), isNarrow))
        narrow.push_back(op);
    });
    for (Operation *op : narrow) {
      OpBuilder b(op);
      widen(op, b);
    }
    SmallVector<Operation *> conversions;
    function.walk([&](Operation *op) {
      if (skipsSingle(op))
        conversions.push_back(op);
    });
    for (Operation *op : conversions) {
      OpBuilder b(op);
      convertInSteps(op, b);
    }
    // Powers with a constant exponent first; then the functions that upstream reduces to others.
    RewritePatternSet patterns(&getContext());
    populateMathAlgebraicSimplificationPatterns(patterns);
    math::populateExpansionPatterns(patterns, {"rsqrt", "fpowi", "ipowi", "ctlz", "clampf"});
    populateMathPolynomialApproximationPatterns(
        patterns, [](StringRef name) { return llvm::is_contained({"math.atan2", "math.cbrt", "math.erfc"}, name); });
    if (failed(applyPatternsGreedily(function, std::move(patterns))))
      return signalPassFailure();
    SmallVector<Operation *> functions;
    function.walk([&](Operation *op) {
      if (isFloatFunction(op) && isa<FloatType>(getElementTypeOrSelf(op->getResult(0).getType())))
        functions.push_back(op);
    });
    for (Operation *op : functions) {
      OpBuilder b(op);
      if (Value value = expand(op, b, fast)) {
        op->getResult(0).replaceAllUsesWith(value);
        op->erase();
      }
    }
  }
};
} // namespace
