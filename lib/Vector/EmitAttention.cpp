// coat-emit-attention: enters tile-sized coat.attention in kernels; leaves its flash form, loops over vectors on
// tensors. Left alone: attention without a flash form (see hasFlashForm; coat-lower-to-linalg takes it), functions
// without a schedule.
#include "Attention.h"
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
#define GEN_PASS_DEF_EMITATTENTION
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
struct EmitAttention : coat::impl::EmitAttentionBase<EmitAttention> {
  void runOnOperation() override {
    auto schedule = getOperation()->getAttrOfType<ScheduleAttr>("coat.schedule");
    if (!schedule)
      return;
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) {
      if (hasFlashForm(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (AttentionOp op : ops)
      emitFlash(rewriter, op, schedule.getVector());
  }
};
} // namespace
