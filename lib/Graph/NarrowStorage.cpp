// coat-narrow-storage: enters f32 graphs in which numbers of f16 and bf16 are marked by conversions from them; leaves
// them so that such numbers lie in memory in their own type. Left alone: numbers that are not so marked.
//
//   %y = coat.cast %n : f16 to f32        %0 = coat.transpose %n : f16;  %1 = coat.cast %0 to f32 {coat.prologue}
//   %t = coat.transpose %y           ==>  %a = coat.conv %1, ..          %2 = coat.cast %0 to f32 {coat.prologue}
//   %a = coat.conv %t, ..                 %b = coat.elementwise %2, ..
//   %b = coat.elementwise %t, ..
//
// Moving elements happens in the narrow type; every reader that computes has a conversion of its own, which Kernels
// makes part of its kernel (coat.prologue). Constants that are multiplied with narrow numbers are rounded to their
// type.
//
// Why on GPUs only: there memory is what most kernels wait for, and tensor cores read the narrow types. On CPUs the
// kernels are those of f32 (WidenFloats.cpp).
#include "Constants.h"
#include "NarrowFloats.h"
#include "coat/Dialect/Coat.h"
#include "coat/Graph/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

namespace coat {
#define GEN_PASS_DEF_COATNARROWSTORAGE
#include "coat/Graph/Passes.h.inc"
} // namespace coat

namespace {
bool isSingle(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getElementType().isF32();
}

/// The narrow value that `value` is a conversion of, or null.
Value narrowOf(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  return cast && isSingle(value) && narrowType(cast.getInput()) ? cast.getInput() : Value();
}

/// Whether `op` moves elements and does nothing else: it can do so in any type.
bool moves(Operation *op) {
  return isa<TransposeOp, ReshapeOp, BroadcastOp, GatherOp, PadOp, tensor::ExtractSliceOp, tensor::ConcatOp>(op) &&
         isExact(op);
}

/// Whether Kernels can compute the conversion of an operand in the kernel of `op`.
bool takesPrologue(Operation *op) {
  return isa<CoatDialect>(op->getDialect()) && !moves(op) && !isa<FormulaOpInterface, PrefixOp, RequireOp, CastOp>(op);
}

struct NarrowStorage : coat::impl::CoatNarrowStorageBase<NarrowStorage> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!function->hasAttr("coat.entry"))
      return;
    for (Operation &op : llvm::make_early_inc_range(function.front())) {
      if (numFactors(&op))
        narrowConstants(&op);
      if (isExact(&op))
        keepNarrow(&op);
    }
    SmallVector<CastOp> casts;
    for (auto cast : function.front().getOps<CastOp>())
      if (narrowOf(cast))
        casts.push_back(cast);
    for (CastOp cast : casts)
      copyToReaders(cast);
  }

private:
  /// Factors next to a narrow one.
  void narrowConstants(Operation *op) {
    Type narrow;
    for (Value factor : op->getOperands().take_front(numFactors(op)))
      if (Value source = narrowOf(factor))
        narrow = getElementTypeOrSelf(source);
    if (!narrow)
      return;
    for (OpOperand &operand : op->getOpOperands().take_front(numFactors(op))) {
      std::optional<ConstantTensor> constant = ConstantTensor::get(operand.get());
      if (!constant || !isSingle(operand.get()))
        continue;
      Value &wide = constants[{operand.get(), narrow}];
      if (!wide) {
        OpBuilder b(operand.get().getContext());
        b.setInsertionPointAfterValue(operand.get());
        Location loc = operand.get().getLoc();
        Value value = floatConstant(b, loc, constant->type.clone(narrow), constant->numbers());
        wide = CastOp::create(b, loc, constant->type, value);
      }
      operand.set(wide);
    }
  }

  /// %r = op(cast %n)   ==>   %r = cast(op(%n)) where op moves elements, else cast(cast(op(cast %n))): the same numbers
  /// Does not apply when an operand of f32 is not narrow.
  void keepNarrow(Operation *op) {
    Type narrow;
    for (Value operand : op->getOperands())
      if (isSingle(operand)) {
        Value source = narrowOf(operand);
        if (!source || (narrow && narrow != getElementTypeOrSelf(source)))
          return;
        narrow = getElementTypeOrSelf(source);
      }
    if (!narrow)
      return;
    OpBuilder b(op->getContext());
    b.setInsertionPointAfter(op);
    for (OpResult result : op->getResults()) {
      if (!isSingle(result))
        continue;
      auto wide = cast<RankedTensorType>(result.getType());
      Value own = result;
      if (moves(op))
        result.setType(wide.clone(narrow));
      else
        own = CastOp::create(b, op->getLoc(), wide.clone(narrow), result);
      Value back = CastOp::create(b, op->getLoc(), wide, own);
      result.replaceAllUsesExcept(back, own == result ? back.getDefiningOp() : own.getDefiningOp());
    }
    if (moves(op))
      for (OpOperand &operand : op->getOpOperands())
        if (isSingle(operand.get()))
          operand.set(narrowOf(operand.get()));
  }

  void copyToReaders(CastOp cast) {
    for (OpOperand &use : llvm::make_early_inc_range(cast->getUses())) {
      Operation *reader = use.getOwner();
      if (!takesPrologue(reader))
        continue;
      OpBuilder b(reader);
      auto own = CastOp::create(b, cast.getLoc(), cast.getType(), cast.getInput());
      own->setAttr("coat.prologue", b.getUnitAttr());
      use.set(own);
    }
    // A conversion there and back is nothing.
    for (OpOperand &use : llvm::make_early_inc_range(cast->getUses()))
      if (auto back = dyn_cast<CastOp>(use.getOwner()); back && back.getType() == cast.getInput().getType()) {
        back.replaceAllUsesWith(cast.getInput());
        back.erase();
      }
    if (cast->use_empty())
      cast.erase();
  }

  DenseMap<std::pair<Value, Type>, Value> constants;
};
} // namespace
