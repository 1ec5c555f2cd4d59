// Offsets of the activations in the caller's workspace.
//
// Enters: the entry as a straight list of launches on memref.alloc and views of them. Leaves: coat.workspace in their
// place, `coat.workspace` on the entry. A launch keeps its inputs and outputs apart (kernels declare their pointers
// noalias), so a buffer may take the place of another only from the launch after the last use.
#include "ArenaPlan.h"
#include "SizeBounds.h"
#include "coat/Dialect/Coat.h"
#include "coat/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"

namespace coat {
#define GEN_PASS_DEF_PLANWORKSPACE
#include "coat/Memory/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
struct PlanWorkspace : coat::impl::PlanWorkspaceBase<PlanWorkspace> {
  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry->hasAttr("coat.entry"))
      return;
    SmallVector<memref::AllocOp> allocs;
    if (failed(collect(entry, allocs)))
      return signalPassFailure();
    auto buffers = measure(entry, allocs);
    if (failed(buffers))
      return signalPassFailure();
    int64_t size = planArena(*buffers);
    for (auto [alloc, buffer] : llvm::zip(allocs, *buffers)) {
      OpBuilder builder(alloc);
      Value offset = arith::ConstantIndexOp::create(builder, alloc.getLoc(), buffer.offset);
      alloc.replaceAllUsesWith(
          WorkspaceOp::create(builder, alloc.getLoc(), alloc.getType(), offset, alloc.getDynamicSizes()).getResult());
      alloc.erase();
    }
    entry->setAttr("coat.workspace", OpBuilder(entry).getI64IntegerAttr(size));
  }

  /// The buffers of the entry; deallocations say nothing that lifetimes do not, and are dropped.
  LogicalResult collect(func::FuncOp entry, SmallVectorImpl<memref::AllocOp> &allocs) {
    if (!llvm::hasSingleElement(entry.getBody()))
      return entry.emitError("expected an entry with one block, got ") << entry.getBody().getBlocks().size();
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front())) {
      if (op.getNumRegions() != 0)
        return op.emitError("expected a straight list of launches, got '") << op.getName() << "'";
      if (isa<memref::DeallocOp>(op))
        op.erase();
      else if (auto alloc = dyn_cast<memref::AllocOp>(op))
        allocs.push_back(alloc);
    }
    return success();
  }

  /// Sizes and lifetimes; the time is the number of the launch, the same for joined ones.
  FailureOr<std::vector<ArenaBuffer>> measure(func::FuncOp entry, ArrayRef<memref::AllocOp> allocs) {
    auto argumentSizes = sizesOfEntryArguments(entry);
    if (failed(argumentSizes))
      return failure();
    SizeBounds bounds(std::move(*argumentSizes));
    BufferViewFlowAnalysis names(entry);
    DenseMap<Operation *, int64_t> times;
    int64_t time = 0;
    for (Operation &op : entry.getBody().front())
      times[&op] = isa<LaunchOp>(op) && !op.hasAttr("coat.joined") ? ++time : time;
    std::vector<ArenaBuffer> buffers;
    for (memref::AllocOp alloc : allocs) {
      auto bytes = bounds.largestBytes(alloc.getType(), alloc.getDynamicSizes());
      if (!bytes)
        return alloc.emitError("expected a buffer with bounded sizes, got ") << alloc.getType();
      if (!alloc.getType().getLayout().isIdentity())
        return alloc.emitError("expected a dense row-major buffer, got ") << alloc.getType();
      // Never used: an empty lifetime at its own place.
      ArenaBuffer buffer{*bytes, INT64_MAX, times[alloc]};
      SmallVector<Value> roots{alloc}; // and its transposes, views that the analysis does not follow
      for (size_t i = 0; i < roots.size(); ++i)
        for (Value name : names.resolve(roots[i]))
          for (Operation *user : name.getUsers()) {
            if (isa<memref::TransposeOp>(user))
              roots.push_back(user->getResult(0));
            if (isa<ViewLikeOpInterface, memref::TransposeOp>(user))
              continue;
            buffer.begin = std::min(buffer.begin, times[user]);
            buffer.end = std::max(buffer.end, times[user]);
          }
      buffer.begin = std::min(buffer.begin, buffer.end);
      buffers.push_back(buffer);
    }
    return buffers;
  }
};
} // namespace
