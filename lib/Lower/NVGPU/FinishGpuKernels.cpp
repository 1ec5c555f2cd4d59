// coat-finish-gpu-kernels: enters a gpu.module whose functions are func.func with bodies of the LLVM and NVVM dialects;
// leaves llvm.func, with the attributes that make it a kernel: only there they are valid.
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

/// TMA maps are parameters of 128 bytes that stay where the launch put them.
static void passMapsByValue(LLVM::LLVMFuncOp function) {
  Builder b(function.getContext());
  for (unsigned i = 0; i < function.getNumArguments(); ++i) {
    if (!function.getArgAttr(i, "coat.map"))
      continue;
    function.removeArgAttr(i, b.getStringAttr("coat.map"));
    function.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                        TypeAttr::get(LLVM::LLVMArrayType::get(b.getI64Type(), 16)));
    function.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(64));
    function.setArgAttr(i, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
  }
}

namespace {
struct FinishGpuKernels : coat::impl::FinishGpuKernelsBase<FinishGpuKernels> {
  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      finish(function);
    Builder builder(&getContext());
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (Attribute block = function->removeAttr("coat.block")) {
        function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
        function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
        function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), block);
        passMapsByValue(function);
        // Tiles in shared memory decide how many blocks a processor holds: without this, ptxas spills to hold more of
        // them, and warps could not hand registers to each other.
        auto shared = function->getAttrOfType<IntegerAttr>("coat.shared");
        if (shared && shared.getInt() > 0)
          function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), builder.getI32IntegerAttr(1));
      }
  }
};
} // namespace
