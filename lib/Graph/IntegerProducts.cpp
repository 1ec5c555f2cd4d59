// coat-integer-products: enters coat.quantize and coat.dequantize; leaves element-wise ops, and products of dequantized
// operands as products of the integers themselves, whose sums are exact. Left alone: everything else.
//
// Both pipelines start with it: what a quantized model means is part of the definition, not an optimization.
//
//   conv(dequantize(x, sx, zx), dequantize(w, sw, zw))  ==>  (sx * sw) * conv(x - zx, w - zw)      the conv of i32
//   quantize(that, sy, zy)                              ==>  clip(round((sx * sw / sy) * conv(..)) + zy)
//
// Does not apply where an operand is of 16 bits (sums of its products need more than 32), where a scale changes along
// the summed dimensions, or where an operand is not dequantized.
#include "Constants.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/QuantOps.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATINTEGERPRODUCTS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }
bool isNumber(Value value) { return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1; }

/// Emits ops in front of one.
struct Emitter {
  OpBuilder b;
  Location loc;
  explicit Emitter(Operation *op) : b(op), loc(op->getLoc()) {}

  Value cast(Value value, Type element) {
    RankedTensorType type = typeOf(value);
    if (type.getElementType() == element)
      return value;
    return b.createOrFold<CastOp>(loc, type.clone(element), value);
  }
  Value elementwise(ElementwiseKind kind, ValueRange operands) { return make(kind, operands, {}, {}); }
  Value clip(Value value, double low, double high) {
    return make(ElementwiseKind::clip, value, b.getF64FloatAttr(low), b.getF64FloatAttr(high));
  }
  Value reshape(Value value, ArrayRef<int64_t> shape) {
    if (typeOf(value).getShape() == shape)
      return value;
    return b.createOrFold<ReshapeOp>(loc, typeOf(value).clone(shape), value, ValueRange());
  }

private:
  Value make(ElementwiseKind kind, ValueRange operands, FloatAttr alpha, FloatAttr beta) {
    return b.createOrFold<ElementwiseOp>(loc, kind, operands, alpha, beta);
  }
};

/// An operand of a product that is dequantized integers of 8 bits.
DequantizeOp eightBits(Value value) {
  auto op = value.getDefiningOp<DequantizeOp>();
  return op && typeOf(op.getInput()).getElementTypeBitWidth() == 8 && typeOf(op.getScale()).getElementType().isF32()
             ? op
             : DequantizeOp();
}

/// x - zero point, in i32.
Value centered(Emitter &e, DequantizeOp op) {
  Type i32 = e.b.getI32Type();
  return e.elementwise(ElementwiseKind::sub, {e.cast(op.getInput(), i32), e.cast(op.getZeroPoint(), i32)});
}

/// A parameter with one number for all, or one for each element of dimension `dim` alone, in the shape `shape`; else
/// null.
Value alongOnly(Emitter &e, Value parameter, int64_t rank, int64_t dim, ArrayRef<int64_t> shape) {
  RankedTensorType type = typeOf(parameter);
  if (isNumber(parameter))
    return e.reshape(parameter, {});
  int64_t own = dim - (rank - type.getRank());
  if (!type.hasStaticShape() || own < 0 || type.getNumElements() != type.getDimSize(own))
    return {};
  SmallVector<int64_t> wanted(shape);
  llvm::replace(wanted, int64_t(-1), type.getNumElements());
  return e.reshape(parameter, wanted);
}

/// A sum of products: the integers, and what one of them stands for.
struct Sums {
  Value integers, unit;
};

class Rewriter {
public:
  void run(func::FuncOp function) {
    // Lists of their own: rewriting erases.
    SmallVector<Operation *> products;
    SmallVector<QuantizeOp> quantizes;
    SmallVector<DequantizeOp> dequantizes;
    function.walk([&](Operation *op) {
      if (isa<ConvOp, MatmulOp, GlobalPoolOp>(op))
        products.push_back(op);
      else if (auto quantize = dyn_cast<QuantizeOp>(op))
        quantizes.push_back(quantize);
      else if (auto dequantize = dyn_cast<DequantizeOp>(op))
        dequantizes.push_back(dequantize);
    });
    for (Operation *op : products) {
      if (auto conv = dyn_cast<ConvOp>(op))
        rewrite(conv);
      else if (auto matmul = dyn_cast<MatmulOp>(op))
        rewrite(matmul);
      else
        rewrite(cast<GlobalPoolOp>(op));
    }
    for (QuantizeOp op : quantizes) // the users of the products are still there
      expand(op);
    for (DequantizeOp op : llvm::reverse(dequantizes))
      expand(op);
  }

private:
  void rewrite(ConvOp op) {
    DequantizeOp input = eightBits(op.getInput()), filter = eightBits(op.getFilter());
    if (!input || !filter || !isNumber(input.getScale()) || op.getDataLayout() != coat::DataLayout::channels_first)
      return;
    Emitter e(op);
    int64_t rank = typeOf(op.getInput()).getRank();
    SmallVector<int64_t> perChannel(rank - 1, 1);
    perChannel[0] = -1; // [M, 1, ..], which broadcasts to the result
    Value scale = alongOnly(e, filter.getScale(), rank, 0, perChannel);
    if (!scale)
      return;
    auto conv = cast<ConvOp>(e.b.clone(*op));
    conv.getInputMutable().assign(centered(e, input));
    conv.getFilterMutable().assign(centered(e, filter));
    conv.getBiasMutable().clear();
    finish(e, op, conv, input.getScale(), scale, op.getBias(), perChannel);
  }

  void rewrite(MatmulOp op) {
    DequantizeOp lhs = eightBits(op.getLhs()), rhs = eightBits(op.getRhs());
    if (!lhs || !rhs)
      return;
    Emitter e(op);
    int64_t rank = typeOf(op.getRhs()).getRank(), left = typeOf(op.getLhs()).getRank();
    Value scale = alongOnly(e, rhs.getScale(), rank, op.getTransposeRhs() ? rank - 2 : rank - 1, {-1});
    Value rows = alongOnly(e, lhs.getScale(), left, op.getTransposeLhs() ? left - 1 : left - 2, {-1, 1});
    if (!scale || !rows)
      return;
    auto matmul = cast<MatmulOp>(e.b.clone(*op));
    matmul.getLhsMutable().assign(centered(e, lhs));
    matmul.getRhsMutable().assign(centered(e, rhs));
    matmul.getBiasMutable().clear();
    finish(e, op, matmul, rows, scale, op.getBias(), {-1});
  }

  /// An average is a sum in smaller units.
  void rewrite(GlobalPoolOp op) {
    DequantizeOp input = eightBits(op.getInput());
    RankedTensorType type = typeOf(op.getInput());
    if (!input || op.getKind() != PoolKind::average || !isNumber(input.getScale()) ||
        op.getDataLayout() != coat::DataLayout::channels_first ||
        llvm::is_contained(type.getShape().drop_front(2), ShapedType::kDynamic))
      return;
    Emitter e(op);
    auto pool = cast<GlobalPoolOp>(e.b.clone(*op));
    pool.getInputMutable().assign(centered(e, input));
    pool.setKind(PoolKind::sum);
    double count = ShapedType::getNumElements(type.getShape().drop_front(2));
    auto scalar = RankedTensorType::get({}, e.b.getF32Type());
    Value share = arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(scalar, float(1 / count)));
    finish(e, op, pool, input.getScale(), share, Value(), {});
  }

  /// Replaces `op` by the sums of `product`, its clone on integers, times both scales; plus the bias, which is of
  /// the sums' units where it is dequantized itself.
  void finish(Emitter &e, Operation *op, Operation *product, Value left, Value right, Value bias,
              ArrayRef<int64_t> biasShape) {
    product->moveBefore(op); // behind its operands
    e.b.setInsertionPoint(op);
    product->getResult(0).setType(typeOf(op->getResult(0)).clone(e.b.getI32Type()));
    Type f32 = e.b.getF32Type();
    if (isNumber(left))
      left = e.reshape(left, {});
    Sums sums{product->getResult(0), e.elementwise(ElementwiseKind::mul, {left, right})};
    auto inUnits = bias ? bias.getDefiningOp<DequantizeOp>() : DequantizeOp();
    if (inUnits && typeOf(inUnits.getInput()).getElementType().isInteger(32) &&
        isProduct(inUnits.getScale(), left, right)) {
      Value integers = e.elementwise(ElementwiseKind::sub, {inUnits.getInput(), inUnits.getZeroPoint()});
      sums.integers = e.elementwise(ElementwiseKind::add, {sums.integers, shaped(e, integers, biasShape)});
      bias = {};
    }
    Value result = e.elementwise(ElementwiseKind::mul, {e.cast(sums.integers, f32), sums.unit});
    if (bias)
      result = e.elementwise(ElementwiseKind::add, {result, shaped(e, bias, biasShape)});
    else
      known[result] = sums;
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  /// Whether constants of one number, or of as many numbers, are the products of the others but for rounding.
  static bool isProduct(Value product, Value left, Value right) {
    std::optional<graph::ConstantTensor> constants[] = {
        graph::ConstantTensor::get(product), graph::ConstantTensor::get(left), graph::ConstantTensor::get(right)};
    int64_t count = 1;
    for (auto &constant : constants)
      if (constant)
        count = std::max(count, constant->size());
    for (auto &constant : constants)
      if (!constant || (constant->size() != 1 && constant->size() != count))
        return false;
    for (int64_t i = 0; i < count; ++i) {
      auto at = [&](int which) { return constants[which]->number(constants[which]->size() == 1 ? 0 : i); };
      double wanted = at(1) * at(2);
      if (!(std::abs(at(0) - wanted) <= 1e-5 * std::abs(wanted)))
        return false;
    }
    return true;
  }

  static Value shaped(Emitter &e, Value bias, ArrayRef<int64_t> shape) {
    SmallVector<int64_t> wanted(shape);
    llvm::replace(wanted, int64_t(-1), typeOf(bias).getDimSize(0));
    return e.reshape(bias, wanted);
  }

  /// value / scale. Of sums, and what relu leaves of them, with one product instead of two.
  Value divided(Emitter &e, Value value, Value scale) {
    auto relu = value.getDefiningOp<ElementwiseOp>();
    if (relu && relu.getKind() == ElementwiseKind::relu && known.contains(relu.getInputs()[0]))
      return e.elementwise(ElementwiseKind::relu, divided(e, relu.getInputs()[0], scale));
    auto sums = known.find(value);
    if (sums == known.end() || !typeOf(scale).getElementType().isF32())
      return e.elementwise(ElementwiseKind::div, {e.cast(value, typeOf(scale).getElementType()), scale});
    Value unit =
        e.elementwise(ElementwiseKind::div, {sums->second.unit, isNumber(scale) ? e.reshape(scale, {}) : scale});
    return e.elementwise(ElementwiseKind::mul, {e.cast(sums->second.integers, e.b.getF32Type()), unit});
  }

  void expand(QuantizeOp op) {
    Emitter e(op);
    auto integer = cast<IntegerType>(typeOf(op.getResult()).getElementType());
    unsigned width = integer.getWidth();
    double low = integer.isUnsigned() ? 0 : -double(llvm::maxIntN(width)) - 1;
    double high = integer.isUnsigned() ? double(llvm::maxUIntN(width)) : double(llvm::maxIntN(width));
    Type f32 = e.b.getF32Type();
    Value value = e.cast(divided(e, op.getInput(), op.getScale()), f32);
    value = e.elementwise(ElementwiseKind::round, value);
    value = e.elementwise(ElementwiseKind::add, {value, e.cast(op.getZeroPoint(), f32)});
    op.getResult().replaceAllUsesWith(e.cast(e.clip(value, low, high), integer));
    op.erase();
  }

  void expand(DequantizeOp op) {
    if (op.use_empty())
      return op.erase();
    Emitter e(op);
    Type scale = typeOf(op.getScale()).getElementType(), compute = scale.isF64() ? scale : e.b.getF32Type();
    bool wide = typeOf(op.getInput()).getElementTypeBitWidth() == 32;
    Type difference = wide ? typeOf(op.getInput()).getElementType() : compute;
    Value value =
        e.elementwise(ElementwiseKind::sub, {e.cast(op.getInput(), difference), e.cast(op.getZeroPoint(), difference)});
    value = e.elementwise(ElementwiseKind::mul, {e.cast(value, compute), e.cast(op.getScale(), compute)});
    op.getResult().replaceAllUsesWith(e.cast(value, scale));
    op.erase();
  }

  DenseMap<Value, Sums> known;
};

struct IntegerProducts : coat::impl::CoatIntegerProductsBase<IntegerProducts> {
  void runOnOperation() override { Rewriter().run(getOperation()); }
};
} // namespace
