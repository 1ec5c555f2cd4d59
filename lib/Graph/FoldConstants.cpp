// coat-fold-constants: enters coat on tensors; ops whose operands are all constants become constants. Left alone:
// results that would fill the library (broadcasts) or take long to compute, and anything that is no movement,
// cast or element-wise function.
//
// Why one walk in program order instead of folders: a folder's result is a uniqued attribute, which for a weight of
// a hundred megabytes is hashed and compared on every visit; here each value is computed once into a blob.
#include "Constants.h"
#include "ScalarFunctions.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATFOLDCONSTANTS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
constexpr int64_t maxComputed = 1 << 24;  // elements of an element-wise result
constexpr int64_t maxBroadcast = 1 << 16; // elements of a broadcast that is not uniform

RankedTensorType staticType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && elementWidth(type.getElementType()) ? type : RankedTensorType();
}

/// Strides of `from` seen under the NumPy-broadcast shape `to` (0 where it repeats).
SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<int64_t> own = rowMajorStrides(from), strides(to.size() - from.size(), 0);
  for (auto [size, stride] : llvm::zip_equal(from, own))
    strides.push_back(size == 1 ? 0 : stride);
  return strides;
}

/// Calls `compute(i, offsets)` for each element of `shape`, offsets[k] being the operand's element under strides[k].
bool forEachElement(ArrayRef<int64_t> shape, ArrayRef<SmallVector<int64_t>> strides,
                    function_ref<bool(int64_t, ArrayRef<int64_t>)> compute) {
  int64_t count = ShapedType::getNumElements(shape);
  SmallVector<int64_t> index(shape.size(), 0), offsets(strides.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    if (!compute(i, offsets))
      return false;
    for (int64_t dim = static_cast<int64_t>(shape.size()) - 1; dim >= 0; --dim) {
      bool carries = ++index[dim] == shape[dim];
      for (auto [offset, stride] : llvm::zip_equal(offsets, strides))
        offset += carries ? -stride[dim] * (shape[dim] - 1) : stride[dim];
      if (!carries)
        break;
      index[dim] = 0;
    }
  }
  return true;
}

/// The one value when all operands are uniform, else all values; `function` maps operand elements to the result's.
Value computed(OpBuilder &builder, Operation *op, ArrayRef<ConstantTensor> operands,
               function_ref<std::optional<double>(ArrayRef<double>)> function) {
  RankedTensorType type = staticType(op->getResult(0));
  bool uniform = llvm::all_of(operands, [](const ConstantTensor &c) { return c.splat || c.size() == 1; });
  if (!llvm::all_of(operands, [](const ConstantTensor &c) { return c.readable(); }) || type.getNumElements() == 0 ||
      (!uniform && type.getNumElements() > maxComputed))
    return {};
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<SmallVector<int64_t>> strides;
  for (const ConstantTensor &operand : operands)
    strides.push_back(broadcastStrides(operand.type.getShape(), shape));
  RankedTensorType stored = uniform ? type.clone(SmallVector<int64_t>(type.getRank(), 1)) : type;
  unsigned width = elementWidth(type.getElementType());
  AsmResourceBlob blob = newBlob(stored.getNumElements() * width);
  char *to = blob.getMutableData().data();
  SmallVector<double> args(operands.size());
  bool done = forEachElement(stored.getShape(), strides, [&](int64_t i, ArrayRef<int64_t> offsets) {
    for (auto [k, operand] : llvm::enumerate(operands)) {
      args[k] = operand.number(offsets[k]);
      if (!operand.isFloat() && std::abs(args[k]) > largestInteger)
        return false;
    }
    std::optional<double> value = function(args);
    return value && store(to + i * width, type.getElementType(), *value);
  });
  if (!done)
    return {};
  if (!uniform)
    return blobConstant(builder, op->getLoc(), type, std::move(blob));
  bool isBool = type.getElementType().isInteger(1);
  DenseElementsAttr attr = isBool ? DenseElementsAttr::get(type, static_cast<bool>(*to))
                                  : DenseElementsAttr::getFromRawBuffer(type, ArrayRef<char>(to, width));
  return arith::ConstantOp::create(builder, op->getLoc(), type, attr);
}

Value sliced(OpBuilder &builder, tensor::ExtractSliceOp op, const ConstantTensor &input) {
  if (ShapedType::isDynamicShape(op.getStaticOffsets()) || ShapedType::isDynamicShape(op.getStaticStrides()))
    return {};
  SmallVector<int64_t> own = rowMajorStrides(input.type.getShape()), strides;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  int64_t offset = 0;
  for (auto [dim, stride] : llvm::enumerate(own)) {
    offset += op.getStaticOffsets()[dim] * stride;
    if (!dropped.test(dim))
      strides.push_back(op.getStaticStrides()[dim] * stride);
  }
  return stridedConstant(builder, op.getLoc(), input, op.getType(), offset, strides);
}

/// The bytes of `parts` after one another along `dim`.
Value concatenated(OpBuilder &builder, tensor::ConcatOp op, ArrayRef<ConstantTensor> parts) {
  RankedTensorType type = staticType(op.getResult());
  int64_t dim = op.getDim(), outer = 1, inner = 1;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    (static_cast<int64_t>(i) < dim ? outer : inner) *= static_cast<int64_t>(i) == dim ? 1 : size;
  unsigned width = elementWidth(type.getElementType());
  AsmResourceBlob blob = newBlob(type.getNumElements() * width);
  char *to = blob.getMutableData().data();
  for (int64_t row = 0; row < outer; ++row)
    for (const ConstantTensor &part : parts)
      for (int64_t i = 0, e = part.type.getDimSize(dim) * inner; i < e; ++i, to += width)
        std::memcpy(to, part.element(row * e + i), width);
  return blobConstant(builder, op.getLoc(), type, std::move(blob));
}

/// Constant padding of a float constant.
Value padded(OpBuilder &builder, PadOp op, const ConstantTensor &input) {
  RankedTensorType type = staticType(op.getResult());
  if (op.getMode() != PadMode::constant || type.getNumElements() > maxComputed)
    return {};
  unsigned width = input.width();
  AsmResourceBlob blob = newBlob(type.getNumElements() * width);
  char *to = blob.getMutableData().data();
  double fill = op.getValueAttr().getValueAsDouble();
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    if (!store(to + i * width, type.getElementType(), type.getElementType().isInteger() ? std::nearbyint(fill) : fill))
      return {};
  SmallVector<int64_t> outer = rowMajorStrides(type.getShape());
  int64_t start = 0;
  for (auto [low, stride] : llvm::zip_equal(op.getLow(), outer))
    start += low * stride;
  forEachElement(input.type.getShape(), {outer}, [&](int64_t i, ArrayRef<int64_t> offsets) {
    std::memcpy(to + (start + offsets[0]) * width, input.element(i), width);
    return true;
  });
  return blobConstant(builder, op.getLoc(), type, std::move(blob));
}

/// Rows of a constant picked by constant indices, clamped to the dimension.
Value gathered(OpBuilder &builder, GatherOp op, const ConstantTensor &input, const ConstantTensor &indices) {
  RankedTensorType type = staticType(op.getResult());
  if (op.getElementwise() || type.getNumElements() > maxComputed)
    return {};
  ArrayRef<int64_t> shape = input.type.getShape();
  int64_t axis = op.getAxis(), size = shape[axis], outer = ShapedType::getNumElements(shape.take_front(axis)),
          inner = ShapedType::getNumElements(shape.drop_front(axis + 1));
  unsigned width = input.width();
  AsmResourceBlob blob = newBlob(type.getNumElements() * width);
  char *to = blob.getMutableData().data();
  for (int64_t row = 0; row < outer; ++row)
    for (int64_t i = 0; i < indices.size(); ++i) {
      auto index = static_cast<int64_t>(indices.number(i));
      index = std::clamp<int64_t>(index < 0 ? index + size : index, 0, size - 1);
      for (int64_t k = 0; k < inner; ++k, to += width)
        std::memcpy(to, input.element((row * size + index) * inner + k), width);
    }
  return blobConstant(builder, op.getLoc(), type, std::move(blob));
}

Value cast(OpBuilder &builder, CastOp op, const ConstantTensor &input) {
  bool toInteger = staticType(op.getResult()).getElementType().isInteger();
  bool toBool = staticType(op.getResult()).getElementType().isInteger(1);
  return computed(builder, op, input, [&](ArrayRef<double> args) -> std::optional<double> {
    return toInteger && !toBool ? std::trunc(args[0]) : args[0];
  });
}

/// The constant that `op` computes, or null.
Value evaluate(OpBuilder &builder, Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0 || !staticType(op->getResult(0)) ||
      staticType(op->getResult(0)).getNumElements() == 0)
    return {};
  SmallVector<ConstantTensor> operands;
  for (Value operand : op->getOperands()) {
    std::optional<ConstantTensor> constant = ConstantTensor::get(operand);
    if (!constant)
      return {};
    operands.push_back(*constant);
  }
  RankedTensorType type = staticType(op->getResult(0));
  return TypeSwitch<Operation *, Value>(op)
      .Case([&](TransposeOp t) { return transposedConstant(builder, t.getLoc(), operands[0], t.getPermutation()); })
      .Case([&](ReshapeOp r) { return reshapedConstant(builder, r.getLoc(), r.getInput(), type.getShape()); })
      .Case([&](BroadcastOp b) {
        if (!operands[0].splat && type.getNumElements() > std::max(maxBroadcast, operands[0].size()))
          return Value();
        return stridedConstant(builder, b.getLoc(), operands[0], type, 0,
                               broadcastStrides(operands[0].type.getShape(), type.getShape()));
      })
      .Case([&](tensor::ExtractSliceOp s) { return sliced(builder, s, operands[0]); })
      .Case([&](tensor::ConcatOp c) { return concatenated(builder, c, operands); })
      .Case([&](PadOp p) { return padded(builder, p, operands[0]); })
      .Case([&](GatherOp g) { return gathered(builder, g, operands[0], operands[1]); })
      .Case([&](CastOp c) { return ::cast(builder, c, operands[0]); })
      .Case([&](ElementwiseOp e) {
        bool integer = operands.back().type.getElementType().isInteger();
        return computed(builder, e, operands,
                        [&](ArrayRef<double> args) { return coat::graph::evaluate(e, args, integer); });
      })
      .Default(Value());
}

struct FoldConstants : coat::impl::CoatFoldConstantsBase<FoldConstants> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](Operation *op) {
      rewriter.setInsertionPoint(op);
      SmallVector<Value> operands = llvm::to_vector(op->getOperands());
      Value constant = evaluate(rewriter, op);
      if (!constant)
        return;
      rewriter.replaceOp(op, constant);
      for (Value operand : llvm::SmallSetVector<Value, 4>(operands.begin(), operands.end()))
        if (operand.use_empty() && operand.getDefiningOp())
          rewriter.eraseOp(operand.getDefiningOp());
    });
  }
};
} // namespace
