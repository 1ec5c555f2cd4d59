// coat-emit-products: enters tile-sized coat.conv, coat.matmul and the halves of a Winograd convolution in kernels;
// leaves vectors and loops on tensors. Left alone: products that have no microkernel (they become linalg), functions
// without a schedule.
#include "Microkernels.h"
#include "coat/Tile/Microkernels.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
#define GEN_PASS_DEF_EMITPRODUCTS
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
struct EmitProducts : coat::impl::EmitProductsBase<EmitProducts> {
  void runOnOperation() override {
    auto schedule = getOperation()->getAttrOfType<ScheduleAttr>("coat.schedule");
    if (!schedule)
      return;
    SmallVector<Operation *> products;
    getOperation().walk([&](Operation *op) {
      if (hasProductMicrokernel(op))
        products.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : products) {
      if (auto input = dyn_cast<WinogradInputOp>(op)) { // has no register tile: it is as large as a tile of the input
        emitMicrokernel(rewriter, input, schedule.getVector());
        continue;
      }
      auto rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
      if (int64_t(schedule.getReg().size()) != rank) {
        op->emitError("expected a register tile of ") << rank << " dimensions, got " << schedule;
        return signalPassFailure();
      }
      if (auto conv = dyn_cast<ConvOp>(op))
        emitMicrokernel(rewriter, conv, schedule.getReg(), schedule.getVector());
      else if (auto conv = dyn_cast<WinogradConvOp>(op))
        emitMicrokernel(rewriter, conv, schedule.getReg(), schedule.getVector());
      else
        emitMicrokernel(rewriter, cast<MatmulOp>(op), schedule.getReg(), schedule.getVector());
    }
  }
};
} // namespace
