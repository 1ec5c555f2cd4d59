// coat-lower-precision: enters f32 graphs; leaves them with what convolutions, products and attention multiply, and
// their results, rounded to f16 or bf16. Left alone: biases, masks, all other ops, f64.
//
//   %y = coat.conv %x, %w : f32   ==>   %xn = coat.cast %x to f16; %x1 = coat.cast %xn to f32     (for all readers of
//   %x)
//                                       %y0 = coat.conv %x1, (%w, rounded); %y = (%y0, rounded)
//
// Why all readers: the rounded value is then the one that lies in memory. Sums, norms and softmax stay as exact as they
// were.
#include "Constants.h"
#include "NarrowFloats.h"
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATLOWERPRECISION
#include "coat/Graph/Passes.h.inc"
} // namespace coat

static bool isSingle(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

namespace {
struct LowerPrecision : coat::impl::CoatLowerPrecisionBase<LowerPrecision> {
  using CoatLowerPrecisionBase::CoatLowerPrecisionBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr("coat.entry"))
      return;
    narrow = BFloat16Type::get(&getContext());
    if (type == "f16")
      narrow = Float16Type::get(&getContext());
    SmallVector<Operation *> products;
    for (Operation &op : function.front())
      if (numFactors(&op))
        products.push_back(&op);
    for (Operation *op : products) {
      for (unsigned i = 0, e = numFactors(op); i < e; ++i)
        if (isSingle(op->getOperand(i)))
          roundOrigins(op->getOpOperand(i));
      for (OpResult result : op->getResults())
        if (isSingle(result))
          roundResult(result);
    }
  }

private:
  /// Rounds what `operand` reads where it is made: in front of all that only moves it.
  void roundOrigins(OpOperand &operand) {
    Value value = operand.get();
    if (auto constant = value.getDefiningOp<arith::ConstantOp>())
      return roundConstant(operand, constant);
    Operation *op = value.getDefiningOp();
    if (op && isExact(op) && !numFactors(op)) {
      for (OpOperand &own : op->getOpOperands())
        if (isSingle(own.get()))
          roundOrigins(own);
      return;
    }
    roundResult(value);
  }

  /// A constant is rounded for this reader alone: others may add it.
  void roundConstant(OpOperand &operand, arith::ConstantOp op) {
    std::optional<ConstantTensor> constant = ConstantTensor::get(op);
    if (!constant)
      return roundResult(op);
    Value &rounded = constants[op];
    if (!rounded) {
      OpBuilder b(op);
      SmallVector<double> numbers = constant->numbers();
      for (double &number : numbers)
        number = graph::rounded(narrow, number);
      rounded = floatConstant(b, op.getLoc(), constant->type, numbers);
    }
    operand.set(rounded);
  }

  void roundResult(Value value) {
    if (!done.insert(value).second || value.use_empty())
      return;
    if (auto cast = value.getDefiningOp<CastOp>(); cast && narrowType(cast.getInput()))
      return; // a rounded number
    OpBuilder b(&getContext());
    b.setInsertionPointAfterValue(value);
    auto wide = cast<RankedTensorType>(value.getType());
    Value rounded = CastOp::create(b, value.getLoc(), wide.clone(narrow), value);
    Value back = CastOp::create(b, value.getLoc(), wide, rounded);
    value.replaceAllUsesExcept(back, rounded.getDefiningOp());
  }

  FloatType narrow;
  DenseSet<Value> done;
  DenseMap<Operation *, Value> constants;
};
} // namespace
