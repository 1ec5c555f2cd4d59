// coat-finish-gpu-kernels: enters a gpu.module whose functions are func.func with bodies of the LLVM and NVVM dialects;
// leaves llvm.func. Left alone: functions that an emitter wrote as llvm.func.
//
// Why not upstream's conversion: the functions have pointers as arguments already, and attributes that must stay.
#include "coat/Lower/NVGPU/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace coat {
#define GEN_PASS_DEF_FINISHGPUKERNELS
#include "coat/Lower/NVGPU/Passes.h.inc"
} // namespace coat

using namespace mlir;

static void finish(func::FuncOp function) {
  OpBuilder builder(function);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()), function.getArgumentTypes());
  auto result = LLVM::LLVMFuncOp::create(builder, function.getLoc(), function.getSymName(), type);
  for (NamedAttribute attribute : function->getDiscardableAttrs())
    result->setAttr(attribute.getName(), attribute.getValue());
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    result.setArgAttrs(i, function.getArgAttrDict(i));
  result.getBody().takeBody(function.getBody());
  result.walk([](func::ReturnOp op) {
    OpBuilder at(op);
    LLVM::ReturnOp::create(at, op.getLoc(), ValueRange());
    op.erase();
  });
  function.erase();
}

namespace {
struct FinishGpuKernels : coat::impl::FinishGpuKernelsBase<FinishGpuKernels> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      finish(function);
  }
};
} // namespace
