// coat-bufferize: enters kernels on tensors between memrefs; leaves them on memrefs. Left alone: functions without
// tensors.
//
// It is upstream's one-shot bufferization. Why not its pass: that one takes all functions on one core, and the analysis
// is the dearest step of the stage.
#include "coat/Vector/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Threading.h"

namespace coat {
#define GEN_PASS_DEF_BUFFERIZE
#include "coat/Vector/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
bool isTensorConstant(arith::ConstantOp op) { return isa<TensorType>(op.getType()); }

template <typename Op>
bool contains(func::FuncOp function, llvm::function_ref<bool(Op)> matches = [](Op) { return true; }) {
  auto visit = [&](Op op) { return matches(op) ? WalkResult::interrupt() : WalkResult::advance(); };
  return function.walk(visit).wasInterrupted();
}

LogicalResult bufferize(func::FuncOp function) {
  // A second analysis, so only where it can find something: most kernels lost theirs when they still were small.
  IRRewriter rewriter(function.getContext());
  if (contains<tensor::EmptyOp>(function) && failed(bufferization::eliminateEmptyTensors(rewriter, function)))
    return failure();
  bufferization::OneShotBufferizationOptions options;
  bufferization::BufferizationState state;
  return bufferization::runOneShotBufferize(function, options, state);
}

struct Bufferize : coat::impl::BufferizeBase<Bufferize> {
  void runOnOperation() override {
    // A constant becomes a global of the module, which only one function at a time may change.
    SmallVector<func::FuncOp> together, alone;
    for (auto function : getOperation().getOps<func::FuncOp>())
      (contains<arith::ConstantOp>(function, isTensorConstant) ? alone : together).push_back(function);
    if (failed(failableParallelForEach(&getContext(), together, bufferize)) ||
        !llvm::all_of(alone, [](func::FuncOp function) { return succeeded(bufferize(function)); }))
      signalPassFailure();
  }
};
} // namespace
