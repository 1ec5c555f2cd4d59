// Strided copies become loops, because their library call does not exist in our libraries.
//
//   memref.copy %a, %b : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
//     -> scf.for %i { scf.for %j { load, store } }
//
// Does not apply when both sides are dense: that copy lowers to memcpy.
#include "coat/Memory/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace coat {
#define GEN_PASS_DEF_EXPANDCOPIES
#include "coat/Memory/Passes.h.inc"
} // namespace coat

using namespace mlir;

static bool isDense(Value memref) {
  auto type = dyn_cast<MemRefType>(memref.getType());
  return type && type.getLayout().isIdentity();
}

namespace {
struct ExpandCopies : coat::impl::ExpandCopiesBase<ExpandCopies> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) {
      if (!isDense(copy.getSource()) || !isDense(copy.getTarget()))
        copies.push_back(copy);
    });
    IRRewriter rewriter(&getContext());
    for (memref::CopyOp copy : copies) {
      rewriter.setInsertionPoint(copy);
      Operation *generic = linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      if (failed(linalg::linalgOpToLoops(rewriter, cast<linalg::LinalgOp>(generic)))) {
        copy.emitError("expected a copy that can be written as loops");
        return signalPassFailure();
      }
      rewriter.eraseOp(generic);
      rewriter.eraseOp(copy);
    }
  }
};
} // namespace
