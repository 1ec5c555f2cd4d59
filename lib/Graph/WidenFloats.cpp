// coat-widen-floats: enters coat on tensors of f16 and bf16; leaves f32, every result rounded to the model's type. Left
// alone: the types of the entry, ops that read bits or hold regions.
//
// Why here and not around each microkernel: the tensors between the ops hold the numbers that the model says, in f32,
// so that all kernels are those of f32 models, and a rounding is two instructions in an epilogue. Behind recognition,
// which would have to look through the roundings.
#include "Constants.h"
#include "NarrowFloats.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/QuantOps.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATWIDENFLOATS
#include "coat/Graph/Passes.h.inc"
} // namespace coat

RankedTensorType coat::graph::narrowType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<Float16Type, BFloat16Type>(type.getElementType()) ? type : RankedTensorType();
}

bool coat::graph::isExact(Operation *op) {
  if (isa<TransposeOp, ReshapeOp, PrefixOp, BroadcastOp, GatherOp, tensor::ExtractSliceOp, tensor::ConcatOp>(op))
    return true;
  if (auto pad = dyn_cast<PadOp>(op))
    return pad.getMode() != PadMode::constant || pad.getValue().isZero() || pad.getValue().isInfinity();
  if (auto pool = dyn_cast<PoolOp>(op))
    return pool.getKind() == PoolKind::max;
  if (auto pool = dyn_cast<GlobalPoolOp>(op))
    return pool.getKind() == PoolKind::max;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::max || reduce.getKind() == ReduceKind::min;
  auto elementwise = dyn_cast<ElementwiseOp>(op);
  if (!elementwise)
    return false;
  switch (elementwise.getKind()) {
  case ElementwiseKind::abs:
  case ElementwiseKind::neg:
  case ElementwiseKind::relu:
  case ElementwiseKind::min:
  case ElementwiseKind::max:
  case ElementwiseKind::select:
    return true;
  default:
    return false;
  }
}

unsigned coat::graph::numFactors(Operation *op) {
  return isa<ConvOp, ConvTransposeOp, MatmulOp>(op) ? 2 : isa<AttentionOp>(op) ? 3 : 0;
}

namespace {
RankedTensorType widened(RankedTensorType type) { return type.clone(Float32Type::get(type.getContext())); }

struct WidenFloats : coat::impl::CoatWidenFloatsBase<WidenFloats> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr("coat.entry"))
      return;
    Block &block = function.front();
    for (Operation &op : block)
      if (keepsTypes(op))
        wanted[&op] = llvm::to_vector(op.getOperandTypes());
    OpBuilder b = OpBuilder::atBlockBegin(&block);
    for (BlockArgument argument : block.getArguments())
      if (narrowType(argument))
        widen(b, argument);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      b.setInsertionPointAfter(&op);
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        widenConstant(b, constant);
      else if (auto cast = dyn_cast<CastOp>(op))
        widenCast(b, cast);
      else if (keepsTypes(op))
        restoreOperands(op, b);
      else
        widenOp(op, b);
    }
  }

  /// Ops whose results the rest of the pass reads as f32, though they compute in their own types.
  static bool keepsTypes(Operation &op) {
    return op.hasTrait<OpTrait::IsTerminator>() || op.getNumRegions() > 0 || isa<BitCastOp>(op);
  }

  /// All uses read `value` in f32.
  void widen(OpBuilder &b, Value value) {
    Value wide = CastOp::create(b, value.getLoc(), widened(narrowType(value)), value);
    value.replaceAllUsesExcept(wide, wide.getDefiningOp());
  }

  void widenConstant(OpBuilder &b, arith::ConstantOp op) {
    RankedTensorType type = narrowType(op);
    if (!type)
      return;
    std::optional<ConstantTensor> constant = ConstantTensor::get(op);
    if (!constant || type.getNumElements() == 0)
      return widen(b, op);
    RankedTensorType wide = widened(type);
    Value value;
    if (constant->splat) {
      Attribute number = b.getF32FloatAttr(static_cast<float>(constant->number(0)));
      value = arith::ConstantOp::create(b, op.getLoc(), DenseElementsAttr::get(wide, number));
    } else {
      AsmResourceBlob blob = newBlob(wide.getNumElements() * sizeof(float));
      auto *to = reinterpret_cast<float *>(blob.getMutableData().data());
      for (int64_t i = 0, e = wide.getNumElements(); i < e; ++i)
        to[i] = static_cast<float>(constant->number(i));
      value = blobConstant(b, op.getLoc(), wide, std::move(blob));
    }
    op.replaceAllUsesWith(value);
    op.erase();
  }

  /// The operand may be f32 by now, in which case a cast to f32 is the operand, and one to a narrow type rounds.
  void widenCast(OpBuilder &b, CastOp op) {
    if (op.getInput().getType() == op.getType()) {
      op.replaceAllUsesWith(op.getInput());
      return op.erase();
    }
    if (narrowType(op))
      widen(b, op);
  }

  /// %y = coat.conv %x, %w : f16   ==>   %0 = coat.conv %x, %w : f32; %1 = coat.cast %0 to f16; %y = coat.cast %1 to
  /// f32
  void widenOp(Operation &op, OpBuilder &b) {
    for (OpResult result : op.getResults()) {
      RankedTensorType type = narrowType(result);
      if (!type)
        continue;
      result.setType(widened(type));
      if (isExact(&op))
        continue;
      Value rounded = CastOp::create(b, op.getLoc(), type, result);
      Value wide = CastOp::create(b, op.getLoc(), widened(type), rounded);
      result.replaceAllUsesExcept(wide, rounded.getDefiningOp());
    }
  }

  void restoreOperands(Operation &op, OpBuilder &b) {
    b.setInsertionPoint(&op);
    for (auto [operand, type] : llvm::zip_equal(op.getOpOperands(), wanted[&op]))
      if (operand.get().getType() != type)
        operand.set(CastOp::create(b, op.getLoc(), type, operand.get()));
    b.setInsertionPointAfter(&op);
    for (OpResult result : op.getResults())
      if (narrowType(result))
        widen(b, result);
  }

  DenseMap<Operation *, SmallVector<Type>> wanted; // operands of the ops that keep their types
};
} // namespace
