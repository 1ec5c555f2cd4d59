// coat-tile: enters kernel functions whose root op carries coat.schedule; leaves one scf.forall whose iterations are
// the tasks, with all ops of the kernel cut to a tile. Left alone: kernels whose tile is everything, or whose results
// come from more than one op (one task each).
//
//   %0 = coat.conv %x, %w {coat.schedule = <.., tile = [1, 7, 0, 64]>}      %r = scf.forall (%n, %h, %m) ..
//   shared_outs(%o) { %1 = linalg.generic ins(%0, %residual)                             ->     %c = coat.conv (slice
//   of %x), (slice of %w) materialize %1                                                            %g = linalg.generic
//   ins(%c, slice of %residual)
//                                                                             parallel_insert_slice %g into %o }
#include "coat/Dialect/Coat.h"
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace coat {
#define GEN_PASS_DEF_TILEKERNELS
#include "coat/Tile/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// The schedule of a kernel: on its root op, the first that has one, or on the function.
ScheduleAttr scheduleOf(func::FuncOp kernel) {
  for (Operation &op : kernel.getBody().front())
    if (auto schedule = op.getAttrOfType<ScheduleAttr>("coat.schedule"))
      return schedule;
  return kernel->getAttrOfType<ScheduleAttr>("coat.schedule");
}

/// The op that makes all results of `kernel`, or null.
TilingInterface lastOpOf(func::FuncOp kernel) {
  Operation *last = nullptr;
  for (auto store : kernel.getBody().front().getOps<bufferization::MaterializeInDestinationOp>()) {
    Operation *producer = store.getSource().getDefiningOp();
    if (last && producer != last)
      return {};
    last = producer;
  }
  return dyn_cast_or_null<TilingInterface>(last);
}

/// The schedule's tile for the loops of `op`; loops that reduce are never cut.
SmallVector<OpFoldResult> tileSizes(OpBuilder &builder, TilingInterface op, ArrayRef<int64_t> tile) {
  SmallVector<OpFoldResult> sizes;
  for (auto [loop, kind] : llvm::enumerate(op.getLoopIteratorTypes())) {
    bool cut = loop < tile.size() && kind == utils::IteratorType::parallel;
    sizes.push_back(builder.getIndexAttr(cut ? tile[loop] : 0));
  }
  return sizes;
}

/// Nothing may need the untiled ops: a value in the middle of the kernel gets a buffer of a tile's size, not a slice of
/// one of the whole size, and the bounds of the forall come from sizes of the kernel's arguments.
LogicalResult dropUntiled(func::FuncOp kernel) {
  RewritePatternSet patterns(kernel.getContext());
  tensor::populateFoldTensorEmptyPatterns(patterns);
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  tensor::DimOp::getCanonicalizationPatterns(patterns, kernel.getContext());
  return applyPatternsGreedily(kernel, std::move(patterns));
}

/// All producers in the kernel are computed a tile at a time: it holds one root, so nothing is computed twice but
/// halos.
std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> fuseAll(tensor::ExtractSliceOp, OpResult, bool) {
  return scf::SCFTileAndFuseOptions::ControlFnResult{};
}

LogicalResult tileKernel(TilingInterface last, ScheduleAttr schedule) {
  IRRewriter rewriter(last->getContext());
  rewriter.setInsertionPoint(last);
  scf::SCFTileAndFuseOptions options;
  options.tilingOptions.setTileSizes(tileSizes(rewriter, last, schedule.getTile()))
      .setLoopType(scf::SCFTilingOptions::LoopType::ForallOp)
      .setInterchange(schedule.getOrder());
  options.setFusionControlFn(fuseAll);
  FailureOr<scf::SCFTileAndFuseResult> tiled = scf::tileConsumerAndFuseProducersUsingSCF(rewriter, last, options);
  if (failed(tiled))
    return last.emitError("expected a tile that the op can be cut into, got ") << schedule;
  for (auto [from, to] : tiled->replacements)
    rewriter.replaceAllUsesWith(from, to);
  // Consumers were inserted behind their producers, so erase from the last op on.
  for (Operation *op = last; op;) {
    Operation *before = op->getPrevNode();
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
    op = before;
  }
  return success();
}

struct TileKernels : coat::impl::TileKernelsBase<TileKernels> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr("coat.kernel"))
      return;
    ScheduleAttr schedule = scheduleOf(kernel);
    if (!schedule)
      return;
    // The stages behind this one find it on the function, whatever becomes of the root.
    kernel->setAttr("coat.schedule", schedule);
    TilingInterface last = lastOpOf(kernel);
    if (!last || llvm::all_of(schedule.getTile(), [](int64_t size) { return size == 0; }))
      return; // one task
    if (failed(tileKernel(last, schedule)) || failed(dropUntiled(kernel)))
      signalPassFailure();
  }
};
} // namespace
