// The choice of the loop that vectors run along; see GenericLoops.h.
#include "GenericLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace coat;

bool coat::isContiguousAlong(AffineMap map, MemRefType memref, unsigned loop) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return false;
  for (AffineExpr expr : map.getResults().drop_back())
    if (expr.isFunctionOfDim(loop))
      return false;
  AffineExpr rest = map.getResults().back() - getAffineDimExpr(loop, map.getContext());
  return !simplifyAffineExpr(rest, map.getNumDims(), map.getNumSymbols()).isFunctionOfDim(loop);
}

namespace {
/// How an operand lies along a loop.
enum class Access { constant, contiguous, strided };

Access accessAlong(AffineMap map, Type type, unsigned loop) {
  if (!map.isFunctionOfDim(loop))
    return Access::constant;
  auto memref = dyn_cast<MemRefType>(type);
  return memref && isContiguousAlong(map, memref, loop) ? Access::contiguous : Access::strided;
}

/// Whether `body` can be computed for several values of `loop` at once. Values are classified in order: the same
/// for all lanes, one a lane, or the loop's index plus something the same for all lanes.
class BodyCheck {
public:
  BodyCheck(linalg::LinalgOp op, unsigned loop) : op(op), loop(loop) {}

  bool vectorizes() {
    for (OpOperand &operand : op->getOpOperands()) {
      bool varies = op.getMatchingIndexingMap(&operand).isFunctionOfDim(loop) || op.isDpsInit(&operand);
      kinds[op.getMatchingBlockArgument(&operand)] = varies ? Kind::lanes : Kind::uniform;
    }
    return llvm::all_of(op.getBlock()->without_terminator(), [&](Operation &inner) { return check(inner); });
  }

private:
  enum class Kind { uniform, lanes, position };

  Kind kindOf(Value value) { return kinds.lookup(value); }

  bool check(Operation &inner) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      kinds[index] = index.getDim() == loop ? Kind::position : Kind::uniform;
      return true;
    }
    bool uniform = llvm::all_of(inner.getOperands(), [&](Value value) { return kindOf(value) == Kind::uniform; });
    if (uniform)
      return inner.getNumRegions() == 0;
    if (auto load = dyn_cast<memref::LoadOp>(inner)) {
      kinds[load] = Kind::lanes;
      return isContiguous(load);
    }
    if (inner.getNumResults() != 1 || !OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
    bool shifts = isa<arith::AddIOp, arith::SubIOp>(inner) && kindOf(inner.getOperand(0)) == Kind::position &&
                  kindOf(inner.getOperand(1)) == Kind::uniform;
    kinds[inner.getResult(0)] = shifts ? Kind::position : Kind::lanes;
    return true;
  }

  bool isContiguous(memref::LoadOp load) {
    SmallVector<int64_t> strides;
    int64_t offset;
    if (load.getIndices().empty() || failed(load.getMemRefType().getStridesAndOffset(strides, offset)) ||
        strides.back() != 1)
      return false;
    return kindOf(load.getIndices().back()) == Kind::position &&
           llvm::all_of(load.getIndices().drop_back(), [&](Value index) { return kindOf(index) == Kind::uniform; });
  }

  linalg::LinalgOp op;
  unsigned loop;
  DenseMap<Value, Kind> kinds;
};

/// Whether every output is accumulated by one op that has a neutral element, so that lanes can be combined.
bool combines(linalg::LinalgOp op) {
  for (auto [result, arg] : llvm::zip(op.getBlock()->getTerminator()->getOperands(), op.getRegionOutputArgs())) {
    Operation *combiner = result.getDefiningOp();
    if (!combiner || combiner->getNumOperands() != 2 || !arg.hasOneUse() || *arg.user_begin() != combiner ||
        !linalg::getCombinerOpKind(combiner) || !arith::getNeutralElement(combiner))
      return false;
  }
  return true;
}

bool isWorthwhile(linalg::LinalgOp op, unsigned loop) {
  int64_t extent = op.getStaticLoopRanges()[loop];
  return ShapedType::isDynamic(extent) || extent >= 4;
}
} // namespace

bool coat::hasOrderedSum(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return false;
  return llvm::any_of(op.getBlock()->getTerminator()->getOperands(), [](Value result) {
    bool orderShows = !result.getDefiningOp<arith::MaximumFOp>() && !result.getDefiningOp<arith::MinimumFOp>();
    return isa<FloatType>(result.getType()) && orderShows;
  });
}

VectorChoice coat::chooseVectorLoop(linalg::LinalgOp op, int64_t lanes, bool ordered) {
  if (lanes < 2)
    return {};
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  VectorChoice strided;
  VectorChoice reduction;
  for (unsigned loop = iterators.size(); loop-- > 0;) {
    if (!isWorthwhile(op, loop))
      continue;
    bool outputsContiguous = true, inputsContiguous = true;
    for (OpOperand &operand : op->getOpOperands()) {
      Access access = accessAlong(op.getMatchingIndexingMap(&operand), operand.get().getType(), loop);
      if (op.isDpsInit(&operand))
        outputsContiguous &= access == Access::contiguous;
      else if (!op.getMatchingBlockArgument(&operand).use_empty())
        inputsContiguous &= access != Access::strided;
    }
    bool parallel = linalg::isParallelIterator(iterators[loop]);
    if (ordered && !parallel)
      continue;
    if (parallel ? !outputsContiguous : !inputsContiguous || !combines(op))
      continue;
    if (!BodyCheck(op, loop).vectorizes())
      continue;
    if (!parallel && reduction.kind == VectorKind::none)
      reduction = {VectorKind::reduction, loop};
    if (parallel && inputsContiguous)
      return {VectorKind::parallel, loop};
    if (parallel && strided.kind == VectorKind::none)
      strided = {VectorKind::parallel, loop};
  }
  return reduction.kind != VectorKind::none ? reduction : strided;
}
