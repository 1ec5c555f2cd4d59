// Buffers inside kernels: small static ones go on the stack, the others into the scratch memory of the worker.
//
// Enters: kernel functions with memref.alloc in the body of the scf.forall (or, without a forall, in the function).
// Leaves: memref.alloca at the start of the task, coat.scratch, `coat.scratch` on the kernel. Functions without
// coat.kernel are left alone.
//
// Why allocas only at the start of the task: one in a loop would take new stack in every iteration.
#include "ArenaPlan.h"
#include "SizeBounds.h"
#include "coat/Dialect/Coat.h"
#include "coat/Memory/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"

namespace coat {
#define GEN_PASS_DEF_PLANSCRATCH
#include "coat/Memory/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

/// Half of what generated code may take of its caller's stack (16 KiB); the rest is for spills and frames.
static constexpr int64_t largestOnStack = 1024, stackPerKernel = 8192;

namespace {
/// Numbers the ops of a function in program order; an op with regions covers the numbers of all that is inside.
struct ProgramOrder {
  explicit ProgramOrder(func::FuncOp function) { number(function); }

  void number(Operation *op) {
    int64_t begin = next++;
    for (Region &region : op->getRegions())
      for (Operation &inner : region.getOps())
        number(&inner);
    times[op] = {begin, next++};
  }

  int64_t next = 0;
  DenseMap<Operation *, std::pair<int64_t, int64_t>> times;
};

struct PlanScratch : coat::impl::PlanScratchBase<PlanScratch> {
  void runOnOperation() override {
    auto sizes = sizesOfKernelArguments();
    if (failed(sizes))
      return signalPassFailure();
    for (auto kernel : getOperation().getOps<func::FuncOp>())
      if (kernel->hasAttr("coat.kernel") && !kernel.isExternal())
        if (failed(plan(kernel, SizeBounds((*sizes)[kernel.getSymName()]))))
          return signalPassFailure();
  }

  /// By kernel, the sizes of its arguments, joined over all launches of all entries.
  FailureOr<llvm::StringMap<SizeBounds::ArgumentSizes>> sizesOfKernelArguments() {
    llvm::StringMap<SizeBounds::ArgumentSizes> sizes;
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!entry->hasAttr("coat.entry"))
        continue;
      auto entrySizes = sizesOfEntryArguments(entry);
      if (failed(entrySizes))
        return failure();
      SizeBounds bounds(std::move(*entrySizes));
      entry.walk([&](LaunchOp launch) {
        auto &kernelSizes = sizes[launch.getKernel()];
        for (auto [number, operand] : llvm::enumerate(launch->getOperands()))
          for (int64_t dim = 0; dim < cast<MemRefType>(operand.getType()).getRank(); ++dim) {
            SizeRange range = bounds.ofDimension(operand, dim);
            auto [it, isNew] = kernelSizes.try_emplace({static_cast<unsigned>(number), dim}, range);
            if (!isNew)
              it->second = it->second.join(range);
          }
      });
    }
    return sizes;
  }

  LogicalResult plan(func::FuncOp kernel, SizeBounds bounds) {
    kernel.walk([](memref::DeallocOp dealloc) { dealloc.erase(); });
    SmallVector<memref::AllocOp> allocs;
    kernel.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
    int64_t stackLeft = stackPerKernel;
    kernel.walk([&](memref::AllocaOp taken) { // by the microkernels
      if (taken.getType().hasStaticShape())
        stackLeft -= llvm::alignTo(bytesOf(taken.getType()), bufferAlignment);
    });
    SmallVector<memref::AllocOp> inScratch;
    for (memref::AllocOp alloc : allocs) {
      if (failed(moveIntoTask(kernel, alloc)))
        return failure();
      if (!moveToStack(alloc, stackLeft))
        inScratch.push_back(alloc);
    }
    return planArenaOf(kernel, inScratch, bounds);
  }

  /// The block that runs once a task: the body of the forall around `op`, or the function's.
  static Block *taskOf(Operation *op) {
    auto forall = op->getParentOfType<scf::ForallOp>();
    return forall ? forall.getBody() : &op->getParentOfType<func::FuncOp>().getBody().front();
  }

  /// A buffer above the forall, but used only inside, belongs into the task; anything else would be shared by tasks.
  static LogicalResult moveIntoTask(func::FuncOp kernel, memref::AllocOp alloc) {
    if (alloc->getParentOfType<scf::ForallOp>())
      return success();
    auto foralls = kernel.getOps<scf::ForallOp>();
    if (foralls.empty())
      return success();
    scf::ForallOp forall = *foralls.begin();
    if (!llvm::all_of(alloc->getUsers(), [&](Operation *user) { return forall->isAncestor(user); }))
      return alloc.emitError("expected a buffer that is used inside the tasks only");
    alloc->moveBefore(&forall.getBody()->front());
    return success();
  }

  static int64_t bytesOf(MemRefType type) { return type.getNumElements() * bytesOfElement(type.getElementType()); }

  static bool moveToStack(memref::AllocOp alloc, int64_t &stackLeft) {
    MemRefType type = alloc.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity())
      return false;
    int64_t bytes = bytesOf(type);
    if (bytes > largestOnStack || bytes > stackLeft)
      return false;
    stackLeft -= llvm::alignTo(bytes, bufferAlignment);
    OpBuilder builder = OpBuilder::atBlockBegin(taskOf(alloc));
    alloc.replaceAllUsesWith(
        memref::AllocaOp::create(builder, alloc.getLoc(), type, builder.getI64IntegerAttr(bufferAlignment))
            .getResult());
    alloc.erase();
    return true;
  }

  static LogicalResult planArenaOf(func::FuncOp kernel, ArrayRef<memref::AllocOp> allocs, SizeBounds &bounds) {
    BufferViewFlowAnalysis names(kernel);
    ProgramOrder order(kernel);
    std::vector<ArenaBuffer> buffers;
    for (memref::AllocOp alloc : allocs) {
      auto bytes = bounds.largestBytes(alloc.getType(), alloc.getDynamicSizes());
      if (!bytes)
        return alloc.emitError("expected a buffer with bounded sizes, got ") << alloc.getType();
      if (!alloc.getType().getLayout().isIdentity())
        return alloc.emitError("expected a dense row-major buffer, got ") << alloc.getType();
      auto lifetime = lifetimeOf(alloc, names, order);
      if (failed(lifetime))
        return failure();
      buffers.push_back({*bytes, lifetime->first, lifetime->second});
    }
    int64_t size = planArena(buffers);
    for (auto [i, buffer] : llvm::enumerate(buffers)) {
      memref::AllocOp alloc = allocs[i];
      OpBuilder builder(alloc);
      alloc.replaceAllUsesWith(
          ScratchOp::create(builder, alloc.getLoc(), alloc.getType(), buffer.offset, alloc.getDynamicSizes())
              .getResult());
      alloc.erase();
    }
    if (size)
      kernel->setAttr("coat.scratch", OpBuilder(kernel).getI64IntegerAttr(size));
    return success();
  }

  /// From the buffer's creation to the end of the last op of its block that uses it, at whatever depth. Buffers leave
  /// their block only through scf.if; one that a loop carries would have to be two buffers that take turns.
  static FailureOr<std::pair<int64_t, int64_t>> lifetimeOf(memref::AllocOp alloc, BufferViewFlowAnalysis &names,
                                                           ProgramOrder &order) {
    auto [begin, end] = order.times[alloc];
    for (Value name : names.resolve(alloc))
      for (Operation *user : name.getUsers()) {
        Block *block = alloc->getBlock();
        Operation *inBlock = block->findAncestorOpInBlock(*user);
        while (!inBlock || inBlock->hasTrait<OpTrait::IsTerminator>()) {
          Operation *parent = block->getParentOp();
          if (!isa<scf::IfOp>(parent))
            return alloc.emitError("expected a buffer that does not leave its block, got one that leaves '")
                   << parent->getName() << "'";
          if (inBlock) // the yield; what it yields to has users of its own
            break;
          block = parent->getBlock();
          inBlock = block->findAncestorOpInBlock(*user);
        }
        end = std::max(end, order.times[inBlock].second);
      }
    return std::make_pair(begin, end);
  }
};
} // namespace
