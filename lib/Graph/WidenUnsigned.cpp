// coat-widen-unsigned: enters coat on tensors; leaves pooling, reductions, resizing and products of unsigned integers
// on signed ones, which all of their kernels are written for. Left alone: element-wise ops, casts, formulas and
// movement, which know signs or need none.
//
//   %m = coat.reduce max %x : ui8   ==>   %0 = coat.cast %x to i32; %1 = coat.reduce max %0; %m = coat.cast %1 to ui8
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATWIDENUNSIGNED
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
IntegerType unsignedElement(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  auto integer = type ? dyn_cast<IntegerType>(type.getElementType()) : IntegerType();
  return integer && integer.isUnsigned() ? integer : IntegerType();
}

/// A signed type of every value of `type`, which ui64 has none of.
IntegerType signedElement(IntegerType type) {
  return IntegerType::get(type.getContext(), type.getWidth() < 32 ? 32 : 64);
}

Value converted(OpBuilder &b, Location loc, Value value, Type element) {
  return CastOp::create(b, loc, cast<RankedTensorType>(value.getType()).clone(element), value);
}

/// Turns the order of ui64, seen as i64, into that of i64 and back.
Value withOtherSign(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  auto number = DenseElementsAttr::get(RankedTensorType::get({}, type.getElementType()), APInt::getSignedMinValue(64));
  Value sign = arith::ConstantOp::create(b, loc, number);
  return ElementwiseOp::create(b, loc, type, ElementwiseKind::bitwise_xor, ValueRange{value, sign}, FloatAttr(),
                               FloatAttr());
}

/// Whether the op compares elements; others only add and multiply, modulo 2^64.
bool ordersElements(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::max || reduce.getKind() == ReduceKind::min;
  return !isa<MatmulOp, ConvOp, ConvTransposeOp>(op);
}

struct WidenUnsigned : coat::impl::CoatWidenUnsignedBase<WidenUnsigned> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (isa<PoolOp, GlobalPoolOp, ReduceOp, ArgReduceOp, ResizeOp, MatmulOp, ConvOp, ConvTransposeOp>(op))
        widen(op);
    });
  }

  static void widen(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    auto flips = [&](IntegerType type) { return type.getWidth() == 64 && ordersElements(op); };
    for (OpOperand &operand : op->getOpOperands())
      if (IntegerType type = unsignedElement(operand.get())) {
        Value value = converted(b, loc, operand.get(), signedElement(type));
        operand.set(flips(type) ? withOtherSign(b, loc, value) : value);
      }
    b.setInsertionPointAfter(op);
    for (OpResult result : op->getResults())
      if (IntegerType type = unsignedElement(result)) {
        result.setType(cast<RankedTensorType>(result.getType()).clone(signedElement(type)));
        Value value = flips(type) ? withOtherSign(b, loc, result) : Value(result);
        Operation *first = value.getDefiningOp();
        Value narrow = converted(b, loc, value, type);
        result.replaceUsesWithIf(narrow, [&](OpOperand &use) {
          return use.getOwner() != first && use.getOwner() != narrow.getDefiningOp();
        });
      }
  }
};
} // namespace
