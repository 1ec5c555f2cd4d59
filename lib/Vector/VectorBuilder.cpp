// Implementation of VectorBuilder.h.
#include "VectorBuilder.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace coat;

Value VectorBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value VectorBuilder::linear(Value a, int64_t factor, Value b, int64_t constant) {
  AffineExpr d0, d1;
  bindDims(builder.getContext(), d0, d1);
  return valueOf(affine::makeComposedFoldedAffineApply(builder, loc, d0 * factor + d1 + constant,
                                                       {getAsOpFoldResult(a), getAsOpFoldResult(b)}));
}

Value VectorBuilder::plus(Value a, int64_t constant) {
  return valueOf(affine::makeComposedFoldedAffineApply(builder, loc, builder.getAffineDimExpr(0) + constant,
                                                       {getAsOpFoldResult(a)}));
}

Value VectorBuilder::minimum(Value a, Value b) {
  AffineMap map = builder.getMultiDimIdentityMap(2);
  return valueOf(affine::makeComposedFoldedAffineMin(builder, loc, map, {getAsOpFoldResult(a), getAsOpFoldResult(b)}));
}

Value VectorBuilder::valueOf(OpFoldResult size) { return getValueOrCreateConstantIndexOp(builder, loc, size); }

OpFoldResult VectorBuilder::sizeOf(Value tensor, int64_t dim) {
  return tensor::getMixedSize(builder, loc, tensor, dim);
}

VectorType VectorBuilder::vectorOf(Type element) { return VectorType::get(lanes, element); }

Value VectorBuilder::splat(TypedAttr scalar) {
  return arith::ConstantOp::create(builder, loc, SplatElementsAttr::get(vectorOf(scalar.getType()), scalar));
}

Value VectorBuilder::broadcast(Value scalar) {
  return vector::BroadcastOp::create(builder, loc, vectorOf(scalar.getType()), scalar);
}

Value VectorBuilder::zero(Type element) { return splat(cast<TypedAttr>(builder.getZeroAttr(element))); }

Value VectorBuilder::mask(OpFoldResult valid) {
  VectorType type = vectorOf(builder.getI1Type());
  std::optional<int64_t> constant = getConstantIntValue(valid);
  if (!constant)
    return vector::CreateMaskOp::create(builder, loc, type, ValueRange{cast<Value>(valid)});
  if (*constant >= lanes)
    return {};
  return vector::ConstantMaskOp::create(builder, loc, type, ArrayRef<int64_t>{std::max<int64_t>(*constant, 0)});
}

Value VectorBuilder::load(Value tensor, ValueRange indices, Value mask) {
  Type element = cast<ShapedType>(tensor.getType()).getElementType();
  AffineMap map = AffineMap::getMinorIdentityMap(indices.size(), 1, builder.getContext());
  Value padding = arith::ConstantOp::create(builder, loc, cast<TypedAttr>(builder.getZeroAttr(element)));
  return vector::TransferReadOp::create(builder, loc, vectorOf(element), tensor, indices, map, padding, mask,
                                        builder.getBoolArrayAttr({true}));
}

Value VectorBuilder::store(Value vector, Value tensor, ValueRange indices, Value mask) {
  AffineMap map = AffineMap::getMinorIdentityMap(indices.size(), 1, builder.getContext());
  return vector::TransferWriteOp::create(builder, loc, tensor.getType(), vector, tensor, indices, map, mask,
                                         builder.getBoolArrayAttr({true}))
      .getResult();
}

Value VectorBuilder::loadScalar(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(builder, loc, tensor, indices);
}

void VectorBuilder::prefetch(Value tensor, ValueRange indices, bool intoFirst) {
  Value &buffer = buffers[tensor];
  if (!buffer) {
    // There is no prefetch of a tensor; this is the buffer that it will have.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfterValue(tensor);
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<int64_t> unknown(type.getRank(), ShapedType::kDynamic);
    auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, unknown);
    buffer = bufferization::ToBufferOp::create(
        builder, loc, MemRefType::get(type.getShape(), type.getElementType(), layout), tensor, /*read_only=*/true);
  }
  memref::PrefetchOp::create(builder, loc, buffer, indices, /*isWrite=*/false, /*localityHint=*/intoFirst ? 3 : 2,
                             /*isDataCache=*/true);
}

Value VectorBuilder::multiplyAdd(Value a, Value b, Value sum) {
  // Four lanes are a target that may lack the instruction, and there an fma would be a call for each lane; contraction
  // makes it where it exists.
  if (lanes > 4)
    return vector::FMAOp::create(builder, loc, a, b, sum);
  auto contract = arith::FastMathFlags::contract;
  Value product = arith::MulFOp::create(builder, loc, a, b, contract);
  return arith::AddFOp::create(builder, loc, product, sum, contract);
}

Value VectorBuilder::larger(Value a, Value b) {
  // Not a maximumf: its expansion forgets the flags that make it one instruction.
  return arith::SelectOp::create(builder, loc, arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b), a,
                                 b);
}

Value VectorBuilder::smaller(Value a, Value b) {
  return arith::SelectOp::create(builder, loc, arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, a, b), a,
                                 b);
}

SmallVector<Value> VectorBuilder::loop(OpFoldResult lower, OpFoldResult upper, int64_t step, ValueRange carried,
                                       LoopBody body) {
  std::optional<int64_t> from = getConstantIntValue(lower), to = getConstantIntValue(upper);
  if (from && to && *from >= *to)
    return llvm::to_vector(carried);
  if (from && to && *to - *from <= step)
    return body(valueOf(lower), carried);
  auto loop = scf::ForOp::create(builder, loc, valueOf(lower), valueOf(upper), index(step), carried);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> results = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(builder, loc, results);
  return SmallVector<Value>(loop.getResults());
}

Value VectorBuilder::loopOver(OpFoldResult lower, OpFoldResult upper, int64_t step, Value tensor,
                              llvm::function_ref<Value(Value, Value)> body) {
  return loop(lower, upper, step, tensor,
              [&](Value iv, ValueRange carried) { return SmallVector<Value>{body(iv, carried.front())}; })
      .front();
}

SmallVector<Value> VectorBuilder::choose(Value condition, llvm::function_ref<SmallVector<Value>()> then,
                                         llvm::function_ref<SmallVector<Value>()> otherwise) {
  auto branch = [&](llvm::function_ref<SmallVector<Value>()> make) {
    return [make, this](OpBuilder &inner, Location) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
      SmallVector<Value> values = make();
      scf::YieldOp::create(builder, loc, values);
    };
  };
  return SmallVector<Value>(scf::IfOp::create(builder, loc, condition, branch(then), branch(otherwise)).getResults());
}

Value VectorBuilder::ifThenElse(Value condition, llvm::function_ref<Value()> then,
                                llvm::function_ref<Value()> otherwise) {
  auto one = [](llvm::function_ref<Value()> make) { return SmallVector<Value>{make()}; };
  return choose(condition, [&] { return one(then); }, [&] { return one(otherwise); }).front();
}
