// coat-check-kernels: the promise of the Vector stage. An op that no pass lowered is found here, by name, and not as a
// failure of a conversion far behind; a buffer above the forall would be shared by tasks that run at the same time.
#include "coat/Dialect/Coat.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace coat {
#define GEN_PASS_DEF_CHECKKERNELS
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

static LogicalResult check(Operation *op, bool hasForall) {
  if (isa<CoatDialect, linalg::LinalgDialect>(op->getDialect()) && !isa<OnceOp>(op))
    return op->emitError("expected a kernel of loops and vectors, got ") << op->getName();
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  if (llvm::any_of(op->getResultTypes(), isTensor) || llvm::any_of(op->getOperandTypes(), isTensor))
    return op->emitError("expected a kernel without tensors, got ") << op->getName();
  if (isa<memref::AllocOp>(op) && hasForall && !op->getParentOfType<scf::ForallOp>())
    return op->emitError("expected buffers inside the tasks of a kernel only");
  return success();
}

namespace {
struct CheckKernels : coat::impl::CheckKernelsBase<CheckKernels> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr("coat.kernel"))
      return;
    bool hasForall = !kernel.getBody().getOps<scf::ForallOp>().empty();
    WalkResult result =
        kernel.walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult { return check(op, hasForall); });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
