// coat-check-async: what no run of a kernel shows for certain, and ptxas does not ask for: that asynchronous reads and
// writes are fenced and waited for on every path.
//
// Enters: kernels of the LLVM and NVVM dialects, as branches. Leaves: the same, or an error at the op that comes too
// early. A forward data flow over blocks: what is outstanding at the end of a block is so at the start of the blocks
// behind it.
#include "coat/Lower/NVGPU/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace coat {
#define GEN_PASS_DEF_CHECKASYNC
#include "coat/Lower/NVGPU/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
/// Where cp.async stands, from what a read may follow to what it may not; idle: waited for when there was none.
enum class Copies { none, idle, visible, waited, issued };
/// The same of bulk stores and the end of the kernel.
enum class Stores { none, committed, issued };

/// What may be outstanding at a point.
struct Outstanding {
  llvm::SetVector<Operation *> writes; // to shared memory by the thread's own stores, without a proxy fence since
  llvm::SetVector<Operation *> inits;  // of mbarriers, without a fence since
  // wgmma that may run still: how many groups have been committed behind its own at least; -1: its own has not.
  llvm::MapVector<Operation *, int64_t> products;
  Copies copies = Copies::none;
  Stores stores = Stores::none;
  bool registersFenced = false;

  /// True when `other` adds something.
  bool join(const Outstanding &other) {
    bool changes = false;
    for (Operation *op : other.writes)
      changes |= writes.insert(op);
    for (Operation *op : other.inits)
      changes |= inits.insert(op);
    for (auto [op, behind] : other.products) {
      auto [known, isNew] = products.insert({op, behind});
      changes |= isNew || behind < known->second;
      known->second = std::min(known->second, behind);
    }
    changes |= other.copies > copies || other.stores > stores || (registersFenced && !other.registersFenced);
    copies = std::max(copies, other.copies);
    stores = std::max(stores, other.stores);
    registersFenced &= other.registersFenced;
    return changes;
  }
};

class Checker {
public:
  explicit Checker(LLVM::LLVMFuncOp kernel) : kernel(kernel) {}
  LogicalResult run();

private:
  void findResults();
  LogicalResult step(Operation *op, Outstanding &now, bool isReported);
  LogicalResult checkReads(Operation *op, const Outstanding &now);
  void complete(Operation *op, Outstanding &now);
  void fence(Operation *op, llvm::SetVector<Operation *> &outstanding);

  LLVM::LLVMFuncOp kernel;
  PostDominanceInfo postDominance;
  llvm::DenseMap<Value, llvm::SetVector<Operation *>> results; // the wgmma whose result a value may be or hold
};
} // namespace

static bool isProduct(Operation *op) {
  auto text = dyn_cast<LLVM::InlineAsmOp>(op);
  return isa<NVVM::WgmmaMmaAsyncOp>(op) || (text && text.getAsmString().contains("wgmma.mma_async"));
}

static bool isShared(Value pointer) { return cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace() == 3; }

static bool isGenericWrite(Operation *op) {
  auto store = dyn_cast<LLVM::StoreOp>(op);
  return isa<NVVM::StMatrixOp>(op) || (store && isShared(store.getAddr()));
}

static bool isSharedRead(Operation *op) {
  auto load = dyn_cast<LLVM::LoadOp>(op);
  return isa<NVVM::LdMatrixOp>(op) || (load && isShared(load.getAddr()));
}

/// Reads shared memory through the async proxy.
static bool isAsyncRead(Operation *op) {
  return isProduct(op) || isa<NVVM::CpAsyncBulkTensorSharedCTAToGlobalOp, NVVM::CpAsyncBulkSharedCTAToGlobalOp,
                              NVVM::CpAsyncBulkTensorReduceOp>(op);
}

static bool isBulkStore(Operation *op) { return isAsyncRead(op) && !isProduct(op); }

static bool isBulkLoad(Operation *op) {
  return isa<NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp, NVVM::CpAsyncBulkGlobalToSharedClusterOp>(op);
}

static bool isProxyFence(Operation *op) {
  auto proxy = dyn_cast<NVVM::FenceProxyOp>(op);
  return proxy && (proxy.getKind() == NVVM::ProxyKind::async || proxy.getKind() == NVVM::ProxyKind::async_shared);
}

/// The values that an operand is handed on to, unchanged; none: the owner computes with it.
static SmallVector<Value> handedOn(OpOperand &use) {
  Operation *op = use.getOwner();
  if (isa<LLVM::InsertValueOp, LLVM::ExtractValueOp, LLVM::SelectOp>(op))
    return {op->getResult(0)};
  if (auto branch = dyn_cast<BranchOpInterface>(op))
    if (std::optional<BlockArgument> argument = branch.getSuccessorBlockArgument(use.getOperandNumber()))
      return {*argument};
  return {};
}

/// Fills `results`: each wgmma's own and what it is handed on to.
void Checker::findResults() {
  kernel.walk([&](Operation *product) {
    if (!isProduct(product))
      return;
    SmallVector<Value> pending(product->getResults());
    while (!pending.empty()) {
      Value value = pending.pop_back_val();
      if (!results[value].insert(product))
        continue;
      for (OpOperand &use : value.getUses())
        llvm::append_range(pending, handedOn(use));
    }
  });
}

/// A fence is one for the threads that wrote only where each of them comes to it.
void Checker::fence(Operation *op, llvm::SetVector<Operation *> &outstanding) {
  outstanding.remove_if([&](Operation *write) { return postDominance.postDominates(op, write); });
}

LogicalResult Checker::checkReads(Operation *op, const Outstanding &now) {
  if (isAsyncRead(op) && !now.writes.empty())
    return op->emitError(
                 "expected fence.proxy.async on every path from a write to shared memory to this read, got a path "
                 "without one")
               .attachNote(now.writes.front()->getLoc())
           << "written here";
  if (isBulkLoad(op) && !now.inits.empty())
    return op->emitError("expected a fence on every path from mbarrier.init to this copy, got a path without one");
  if (isSharedRead(op) && now.copies >= Copies::waited)
    return op->emitError("expected ") << (now.copies == Copies::waited ? "a barrier" : "cp.async.wait_group")
                                      << " between cp.async and this read of shared memory, got a path without";
  if (isProduct(op) && !now.registersFenced)
    return op->emitError(
        "expected wgmma.fence on every path to this wgmma since its registers were used, got a path without");
  if (isa<LLVM::ReturnOp>(op) && now.stores != Stores::none)
    return op->emitError(
        "expected bulk stores to be committed and waited for on every path to the end, got a path without");
  if (isProduct(op))
    return success(); // sums go from one wgmma to the next
  for (OpOperand &use : op->getOpOperands()) {
    auto found = results.find(use.get());
    if (found == results.end() || !handedOn(use).empty())
      continue;
    for (Operation *product : found->second)
      if (now.products.contains(product))
        return op->emitError(
            "expected wgmma.wait_group on every path from a wgmma to the use of its result, got a path "
            "without");
  }
  return success();
}

/// What an op makes outstanding, and what it completes.
void Checker::complete(Operation *op, Outstanding &now) {
  if (isGenericWrite(op))
    now.writes.insert(op);
  if (isProxyFence(op))
    fence(op, now.writes);
  if (isProxyFence(op) || isa<NVVM::FenceMbarrierInitOp>(op))
    fence(op, now.inits);
  if (isa<NVVM::MBarrierInitOp>(op))
    now.inits.insert(op);
  if (isa<NVVM::CpAsyncOp>(op) && now.copies != Copies::visible)
    now.copies = Copies::issued; // behind a wait and a barrier it is for a later read
  if (isa<NVVM::CpAsyncWaitGroupOp>(op) && now.copies != Copies::visible)
    now.copies = now.copies >= Copies::waited ? Copies::waited : Copies::idle;
  if (isa<NVVM::BarrierOp, NVVM::Barrier0Op, NVVM::SyncWarpOp>(op) &&
      (now.copies == Copies::waited || now.copies == Copies::idle))
    now.copies = Copies::visible;
  if (isBulkStore(op))
    now.stores = Stores::issued;
  if (isa<NVVM::CpAsyncBulkCommitGroupOp>(op) && now.stores == Stores::issued)
    now.stores = Stores::committed;
  if (auto wait = dyn_cast<NVVM::CpAsyncBulkWaitGroupOp>(op);
      wait && !wait.getGroup() && now.stores == Stores::committed)
    now.stores = Stores::none;
  if (isProduct(op))
    now.products[op] = -1;
  if (isa<NVVM::WgmmaFenceAlignedOp>(op))
    now.registersFenced = true;
  if (isa<NVVM::WgmmaGroupSyncAlignedOp>(op))
    for (auto &[product, behind] : now.products)
      ++behind;
  if (auto wait = dyn_cast<NVVM::WgmmaWaitGroupSyncOp>(op)) {
    now.registersFenced = false;
    now.products.remove_if([&](auto &entry) { return entry.second >= int64_t(wait.getGroup()); });
  }
}

LogicalResult Checker::step(Operation *op, Outstanding &now, bool isReported) {
  if (isReported && failed(checkReads(op, now)))
    return failure();
  complete(op, now);
  return success();
}

LogicalResult Checker::run() {
  findResults();
  llvm::MapVector<Block *, Outstanding> starts;
  Block *entry = &kernel.getBody().front();
  starts[entry] = Outstanding();
  llvm::SetVector<Block *> pending;
  pending.insert(entry);
  while (!pending.empty()) {
    Block *block = pending.pop_back_val();
    Outstanding now = starts[block];
    for (Operation &op : *block)
      (void)step(&op, now, /*isReported=*/false);
    for (Block *next : block->getSuccessors()) {
      auto [start, isNew] = starts.insert({next, now});
      if (isNew || start->second.join(now))
        pending.insert(next);
    }
  }
  for (auto &[block, start] : starts)
    for (Operation &op : *block)
      if (failed(step(&op, start, /*isReported=*/true)))
        return failure();
  return success();
}

namespace {
struct CheckAsync : coat::impl::CheckAsyncBase<CheckAsync> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal() && failed(Checker(function).run()))
        return signalPassFailure();
  }
};
} // namespace
