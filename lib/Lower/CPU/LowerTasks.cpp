// coat-lower-tasks: the one scf.forall of a kernel becomes a task number.
//
// A host runs tasks in any order and on any thread (coat_options.parallel_for), so a kernel is a function of one number
// and not a loop. Upstream turns forall into OpenMP or async regions, which both need a runtime library.
//
//   func @k(%a, %o) {                            func @k(%a, %o, %task: index) {coat.tasks = 12}
//     scf.forall (%i, %j) in (3, 4) { body }  ->   %j = remui %task, 4; %i = divui %task, 4; body
//
// The last dimension runs fastest, so that neighbouring tasks share the operands of the first dimensions.
#include "coat/Dialect/Coat.h"
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace coat {
#define GEN_PASS_DEF_LOWERTASKS
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
/// Tasks may not share work: all that a kernel writes is written inside the forall or once.
LogicalResult checkTopLevel(Operation &op) {
  if (isa<scf::ForallOp, coat::OnceOp, func::ReturnOp>(op))
    return success();
  std::optional<SmallVector<MemoryEffects::EffectInstance>> effects = getEffectsRecursively(&op);
  if (!effects || llvm::any_of(*effects, [](auto &e) { return isa<MemoryEffects::Write>(e.getEffect()); }))
    return op.emitOpError("expected no write beside the scf.forall of a kernel, each task would repeat it");
  return success();
}

/// Finds the forall of `kernel`; null when there is none.
FailureOr<scf::ForallOp> findForall(func::FuncOp kernel) {
  auto foralls = llvm::to_vector(kernel.getBody().front().getOps<scf::ForallOp>());
  if (foralls.empty())
    return scf::ForallOp();
  if (foralls.size() > 1)
    return foralls[1].emitOpError("expected one top-level scf.forall in a kernel, got ") << foralls.size();
  scf::ForallOp forall = foralls.front();
  if (forall.getNumResults() || !forall.getOutputs().empty())
    return forall.emitOpError("expected a bufferized scf.forall without results");
  for (Operation &op : kernel.getBody().front())
    if (failed(checkTopLevel(op)))
      return failure();
  return forall;
}

/// Trip counts, folded where static.
SmallVector<OpFoldResult> tripCounts(OpBuilder &b, scf::ForallOp forall) {
  AffineExpr lb, ub, step;
  bindSymbols(b.getContext(), lb, ub, step);
  SmallVector<OpFoldResult> trips;
  for (auto [l, u, s] : llvm::zip(forall.getMixedLowerBound(), forall.getMixedUpperBound(), forall.getMixedStep()))
    trips.push_back(affine::makeComposedFoldedAffineApply(b, forall.getLoc(), (ub - lb).ceilDiv(step), {l, u, s}));
  return trips;
}

/// Copies the computation of `value` (index arithmetic on sizes of arguments) to where `b` stands.
FailureOr<Value> copySlice(OpBuilder &b, Value value, IRMapping &map) {
  if (Value done = map.lookupOrNull(value))
    return done;
  Operation *op = value.getDefiningOp();
  if (!op || !isMemoryEffectFree(op) || op->getNumRegions())
    return emitError(value.getLoc(), "expected the number of tasks to follow from the sizes of the kernel's arguments");
  for (Value operand : op->getOperands())
    if (failed(copySlice(b, operand, map)))
      return failure();
  b.clone(*op, map);
  return map.lookup(value);
}

/// `memref.dim` of the kernel's arguments -> the arguments of the task counting function.
void mapSizes(func::FuncOp kernel, func::FuncOp count, IRMapping &map) {
  DenseMap<std::pair<Value, int64_t>, Value> sizes;
  unsigned next = 0;
  for (BlockArgument arg : kernel.getArguments())
    if (auto type = dyn_cast<MemRefType>(arg.getType()))
      for (int64_t dim = 0; dim < type.getRank(); dim++)
        if (type.isDynamicDim(dim))
          sizes[{arg, dim}] = count.getArgument(next++);
  kernel.walk([&](memref::DimOp op) {
    if (std::optional<int64_t> index = op.getConstantIndex())
      if (Value size = sizes.lookup({op.getSource(), *index}))
        map.map(op.getResult(), size);
  });
}

/// Makes `@<kernel>_tasks(sizes..) -> index`.
FailureOr<func::FuncOp> makeTaskCount(func::FuncOp kernel, ArrayRef<OpFoldResult> trips) {
  OpBuilder b(kernel);
  int64_t numSizes = 0;
  for (Type type : kernel.getArgumentTypes())
    if (auto memref = dyn_cast<MemRefType>(type))
      numSizes += memref.getNumDynamicDims();
  SmallVector<Type> inputs(numSizes, b.getIndexType());
  auto count = func::FuncOp::create(b, kernel.getLoc(), (kernel.getName() + "_tasks").str(),
                                    b.getFunctionType(inputs, b.getIndexType()));
  count.setPrivate();
  b.setInsertionPointToStart(count.addEntryBlock());
  IRMapping map;
  mapSizes(kernel, count, map);
  Value total = arith::ConstantIndexOp::create(b, kernel.getLoc(), 1);
  Value zero = arith::ConstantIndexOp::create(b, kernel.getLoc(), 0);
  for (OpFoldResult trip : trips) {
    Value n;
    if (auto value = dyn_cast<Value>(trip)) {
      FailureOr<Value> copy = copySlice(b, value, map);
      if (failed(copy))
        return failure();
      n = arith::MaxSIOp::create(b, kernel.getLoc(), *copy, zero);
    } else {
      n = getValueOrCreateConstantIndexOp(b, kernel.getLoc(), trip);
    }
    total = arith::MulIOp::create(b, kernel.getLoc(), total, n);
  }
  func::ReturnOp::create(b, kernel.getLoc(), total);
  return count;
}

/// Task number -> induction variables, last dimension fastest.
SmallVector<Value> delinearize(OpBuilder &b, scf::ForallOp forall, ArrayRef<OpFoldResult> trips, Value task) {
  Location loc = forall.getLoc();
  AffineExpr index, lb, step;
  bindDims(b.getContext(), index);
  bindSymbols(b.getContext(), lb, step);
  SmallVector<Value> ivs(trips.size());
  for (int64_t dim = trips.size() - 1; dim >= 0; dim--) {
    Value i = task;
    if (isConstantIntValue(trips[dim], 1)) {
      i = arith::ConstantIndexOp::create(b, loc, 0);
    } else if (dim > 0) {
      Value trip = getValueOrCreateConstantIndexOp(b, loc, trips[dim]);
      i = arith::RemUIOp::create(b, loc, task, trip);
      task = arith::DivUIOp::create(b, loc, task, trip);
    }
    OpFoldResult iv = affine::makeComposedFoldedAffineApply(
        b, loc, index * step + lb, {i, forall.getMixedLowerBound()[dim], forall.getMixedStep()[dim]});
    ivs[dim] = getValueOrCreateConstantIndexOp(b, loc, iv);
  }
  return ivs;
}

/// coat.once { body } -> if (task == 0) body.
void lowerOnce(IRRewriter &rewriter, coat::OnceOp once, Value task) {
  rewriter.setInsertionPoint(once);
  Value zero = arith::ConstantIndexOp::create(rewriter, once.getLoc(), 0);
  Value first = arith::CmpIOp::create(rewriter, once.getLoc(), arith::CmpIPredicate::eq, task, zero);
  auto ifOp = scf::IfOp::create(rewriter, once.getLoc(), first, /*withElseRegion=*/false);
  rewriter.inlineBlockBefore(&once.getBody().front(), ifOp.thenYield());
  rewriter.eraseOp(once);
}

LogicalResult lowerKernel(func::FuncOp kernel) {
  FailureOr<scf::ForallOp> found = findForall(kernel);
  if (failed(found))
    return failure();
  scf::ForallOp forall = *found;
  IRRewriter rewriter(kernel.getContext());
  if (failed(kernel.insertArgument(kernel.getNumArguments(), rewriter.getIndexType(), {}, kernel.getLoc())))
    return failure();
  for (coat::OnceOp once : llvm::to_vector(kernel.getBody().front().getOps<coat::OnceOp>()))
    lowerOnce(rewriter, once, kernel.getArguments().back());
  if (!forall) {
    kernel->setAttr("coat.tasks", rewriter.getI64IntegerAttr(1));
    return success();
  }
  rewriter.setInsertionPoint(forall);
  SmallVector<OpFoldResult> trips = tripCounts(rewriter, forall);
  if (std::optional<SmallVector<int64_t>> counts = getConstantIntValues(trips)) {
    int64_t total = 1;
    for (int64_t n : *counts)
      total *= std::max<int64_t>(n, 0);
    kernel->setAttr("coat.tasks", rewriter.getI64IntegerAttr(total));
  } else {
    FailureOr<func::FuncOp> count = makeTaskCount(kernel, trips);
    if (failed(count))
      return failure();
    kernel->setAttr("coat.tasks", FlatSymbolRefAttr::get(*count));
  }
  Value task = kernel.getArguments().back();
  SmallVector<Value> ivs = delinearize(rewriter, forall, trips, task);
  rewriter.eraseOp(forall.getTerminator());
  rewriter.inlineBlockBefore(forall.getBody(), forall, ivs);
  rewriter.eraseOp(forall);
  return success();
}

struct LowerTasks : coat::impl::LowerTasksBase<LowerTasks> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func->hasAttr("coat.kernel"))
        kernels.push_back(func);
    for (func::FuncOp kernel : kernels)
      if (failed(lowerKernel(kernel)))
        return signalPassFailure();
  }
};
} // namespace
