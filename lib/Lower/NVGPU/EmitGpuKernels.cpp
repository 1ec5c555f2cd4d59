// coat-emit-gpu-kernels: enters kernels with ops on tensors; leaves declarations of them, and for each architecture a
// gpu.module a kernel. Left alone: the list of launches.
#include "Kernel.h"
#include "coat/Dialect/Coat.h"
#include "coat/Lower/NVGPU/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace coat {
#define GEN_PASS_DEF_EMITGPUKERNELS
#include "coat/Lower/NVGPU/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

/// In the order in which they are asked.
static GpuEmitter *const emitters[] = {emitElements};

func::FuncOp coat::createGpuFunction(func::FuncOp kernel, gpu::GPUModuleOp into) {
  OpBuilder builder = OpBuilder::atBlockEnd(into.getBody());
  SmallVector<Type> types(kernel.getNumArguments(), LLVM::LLVMPointerType::get(kernel.getContext()));
  auto function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(), builder.getFunctionType(types, {}));
  function.addEntryBlock();
  return function;
}

static void setAttributes(const GpuKernel &kernel) {
  Operation *function = kernel.function;
  Builder builder(function->getContext());
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), builder.getDenseI32ArrayAttr(kernel.block));
  function->setAttr("coat.grid", builder.getDenseI64ArrayAttr(kernel.grid));
  function->setAttr("coat.shared", builder.getI64IntegerAttr(kernel.shared));
  function->setAttr("coat.maps", kernel.maps ? kernel.maps : builder.getArrayAttr({}));
}

namespace {
struct EmitGpuKernels : coat::impl::EmitGpuKernelsBase<EmitGpuKernels> {
  using EmitGpuKernelsBase::EmitGpuKernelsBase;

  void runOnOperation() override {
    SmallVector<const GpuTarget *> targets;
    for (const std::string &name : archs)
      if (const GpuTarget *target = findGpuTarget(name))
        targets.push_back(target);
      else
        return (getOperation().emitError("expected an architecture that coat knows, got ") << name, signalPassFailure());
    for (auto kernel : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!kernel->hasAttr("coat.kernel") || kernel.isExternal())
        continue;
      for (const GpuTarget *target : targets)
        if (failed(emit(kernel, *target)))
          return signalPassFailure();
      kernel.getBody().getBlocks().clear();
    }
    getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(&getContext()));
  }

  LogicalResult emit(func::FuncOp kernel, const GpuTarget &target) {
    for (Type type : kernel.getArgumentTypes())
      if (!cast<MemRefType>(type).hasStaticShape())
        return kernel.emitError("expected a kernel of static sizes for --device=cuda, got ") << type;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfter(kernel);
    Attribute chip = NVVM::NVVMTargetAttr::get(&getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", target.name,
                                               /*features=*/"");
    auto module = gpu::GPUModuleOp::create(builder, kernel.getLoc(), (kernel.getSymName() + "_" + target.name).str(),
                                           builder.getArrayAttr(chip));
    for (GpuEmitter *emitter : emitters) {
      FailureOr<GpuKernel> written = emitter(kernel, target, {tf32}, module);
      if (failed(written))
        continue;
      setAttributes(*written);
      return success();
    }
    return failure();
  }
};
} // namespace
