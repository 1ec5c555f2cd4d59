// coat-lower-copies: strided memref.copy -> loops.
//
// Upstream lowers a copy between strided memrefs to a call of memrefCopy, a function of its own runtime library.
// Does not apply when both sides are dense: such a copy becomes memcpy, which is allowed and faster.
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace coat {
#define GEN_PASS_DEF_LOWERCOPIES
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
bool isDense(Value memref) { return cast<MemRefType>(memref.getType()).getLayout().isIdentity(); }

struct LowerCopies : coat::impl::LowerCopiesBase<LowerCopies> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation().walk([&](memref::CopyOp copy) -> WalkResult {
      if (isDense(copy.getSource()) && isDense(copy.getTarget()))
        return success();
      rewriter.setInsertionPoint(copy);
      auto generic = linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
      if (failed(linalg::linalgOpToLoops(rewriter, generic)))
        return generic.emitOpError("expected a copy to become loops");
      rewriter.eraseOp(generic);
      return success();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
