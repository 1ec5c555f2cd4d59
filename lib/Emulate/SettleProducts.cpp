// Results of wgmma stay boxes while a kernel only hands them on: into structs, over branches, to the next wgmma. In
// front of every other use a call opens the box, which fails when the product has not been waited for.
#include "RuntimeCalls.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace coat::emulate;

static bool isProduct(Operation *op) { return isa<NVVM::WgmmaMmaAsyncOp>(op) || isProductText(op); }

/// Adds to `found` what holds the operand's box behind its owner; false when the owner computes with the value.
static bool handOn(OpOperand &use, llvm::function_ref<void(Value)> found) {
  Operation *op = use.getOwner();
  if (isProduct(op))
    return true;
  if (isa<LLVM::InsertValueOp, LLVM::ExtractValueOp>(op)) {
    found(op->getResult(0));
    return true;
  }
  auto branch = dyn_cast<BranchOpInterface>(op);
  if (!branch)
    return false;
  if (std::optional<BlockArgument> argument = branch.getSuccessorBlockArgument(use.getOperandNumber()))
    found(*argument);
  return true;
}

LogicalResult coat::emulate::settleProducts(LLVM::LLVMFuncOp function, RuntimeCalls &calls) {
  SmallVector<Value> pending;
  llvm::DenseSet<Value> boxes;
  auto found = [&](Value value) {
    if (boxes.insert(value).second)
      pending.push_back(value);
  };
  function.walk([&](Operation *op) {
    if (isProduct(op))
      for (Value result : op->getResults())
        found(result);
  });
  SmallVector<OpOperand *> uses;
  while (!pending.empty())
    for (OpOperand &use : pending.pop_back_val().getUses())
      if (!handOn(use, found))
        uses.push_back(&use);
  for (OpOperand *use : uses) {
    Operation *op = use->getOwner();
    Type type = use->get().getType();
    if (isa<LLVM::LLVMStructType>(type))
      return op->emitError("expected results of wgmma to be taken apart before use, got a use of ") << type;
    if (type.isF32()) // else: what lies beside results in a struct
      use->set(calls.call(op, "coat_emu_settle", type, {calls.site(op), use->get()}));
  }
  return success();
}
