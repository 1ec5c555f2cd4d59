// coat-linalg-to-loops: enters kernels on memrefs with linalg ops and copies; leaves scf loops of 1-D vectors and
// scalars. Left alone: everything else. `linalg.fill` of what a reduction starts from goes into its registers.
//
// Why after bufferization: rows that are read and written several times (softmax, norms) live in scratch anyway, and on
// memrefs no use of a loop's result can turn into a copy.
#include "GenericLoops.h"
#include "TransposeBlocks.h"
#include "coat/Dialect/Coat.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace coat {
#define GEN_PASS_DEF_LINALGTOLOOPS
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// The fill of output `init` directly before the reduction `op`, or null. Only ops that cannot touch the buffer may
/// stand between: other fills, and ops without memory effects.
linalg::FillOp fillBefore(linalg::LinalgOp op, Value init) {
  for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(before);
    if (fill && fill.getOutputs()[0] == init)
      return fill;
    if (!fill && !isMemoryEffectFree(before) && !isa<memref::AllocOp>(before))
      return {};
  }
  return {};
}

/// What every output of `op` starts from, where that is known; the fills are then dead.
SmallVector<Value> takeStarts(linalg::LinalgOp op, RewriterBase &rewriter) {
  SmallVector<Value> starts;
  for (auto [i, init] : llvm::enumerate(op.getDpsInits())) {
    AffineMap map = op.getMatchingIndexingMap(op.getDpsInitOperand(i));
    bool leading = llvm::all_of(llvm::enumerate(map.getResults()), [&](auto result) {
      return result.value() == rewriter.getAffineDimExpr(result.index());
    });
    bool all = op.getNumReductionLoops() > 0 && leading;
    bool readOnce = llvm::count(op->getOperands(), init) == 1;
    linalg::FillOp fill = all && readOnce ? fillBefore(op, init) : linalg::FillOp();
    starts.push_back(fill ? fill.getInputs()[0] : Value());
    if (fill)
      rewriter.eraseOp(fill);
  }
  return starts;
}

struct LinalgToLoops : coat::impl::LinalgToLoopsBase<LinalgToLoops> {
  using LinalgToLoopsBase::LinalgToLoopsBase;
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (!func->hasAttr("coat.kernel"))
      return;
    auto schedule = func->getAttrOfType<ScheduleAttr>("coat.schedule");
    int64_t lanes = schedule ? schedule.getVector() : 1;
    IRRewriter rewriter(&getContext());
    func.walk([&](memref::CopyOp copy) {
      rewriter.setInsertionPoint(copy);
      linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
    });
    SmallVector<linalg::LinalgOp> ops;
    func.walk([&](linalg::LinalgOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    // Reductions first: they take the fills before them.
    for (linalg::LinalgOp op : ops) {
      if (isa<linalg::FillOp>(op))
        continue;
      rewriter.setInsertionPoint(op);
      if (emitTransposeInBlocks(rewriter, op, lanes)) {
        rewriter.eraseOp(op);
        continue;
      }
      SmallVector<Value> starts = takeStarts(op, rewriter);
      emitLoops(rewriter, op, starts, lanes, chooseVectorLoop(op, lanes, orderedSums && hasOrderedSum(op)));
      rewriter.eraseOp(op);
    }
    func.walk([&](linalg::FillOp fill) {
      rewriter.setInsertionPoint(fill);
      auto op = cast<linalg::LinalgOp>(fill.getOperation());
      emitLoops(rewriter, op, {Value()}, lanes, chooseVectorLoop(op, lanes));
      rewriter.eraseOp(fill);
    });
  }
};
} // namespace
