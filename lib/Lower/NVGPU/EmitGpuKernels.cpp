// coat-emit-gpu-kernels: enters kernels with ops on tensors; leaves declarations of them, and for each architecture a
// gpu.module a kernel. Left alone: the list of launches.
#include "Kernel.h"
#include "coat/Dialect/Coat.h"
#include "coat/Lower/NVGPU/Passes.h"
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/Passes.h"

namespace coat {
#define GEN_PASS_DEF_EMITGPUKERNELS
#include "coat/Lower/NVGPU/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

/// In the order in which they are asked. The first list sees coat ops, the second what coat-lower-to-linalg makes of
/// them.
static GpuEmitter *const opEmitters[] = {emitWarpgroupProduct, emitProduct, emitWarpgroupAttention, emitAttention,
                                         emitGroupNorm};
static GpuEmitter *const linalgEmitters[] = {emitLoops, emitRows, emitElements};

static void setAttributes(const GpuKernel &kernel) {
  Operation *function = kernel.function;
  Builder builder(function->getContext());
  function->setAttr("coat.block", builder.getDenseI32ArrayAttr(kernel.block));
  function->setAttr("coat.grid", builder.getDenseI64ArrayAttr(kernel.grid));
  function->setAttr("coat.shared", builder.getI64IntegerAttr(kernel.shared));
  function->setAttr("coat.maps", kernel.maps);
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
        return (getOperation().emitError("expected an architecture that coat knows, got ") << name,
                signalPassFailure());
    for (auto kernel : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!kernel->hasAttr("coat.kernel") || kernel.isExternal())
        continue;
      // Made when the first architecture needs it.
      func::FuncOp lowered;
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfter(kernel);
      for (const GpuTarget *target : targets)
        if (failed(emit(builder, kernel, lowered, *target)))
          return signalPassFailure();
      if (lowered)
        lowered.erase();
      kernel.getBody().getBlocks().clear();
    }
    getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(), UnitAttr::get(&getContext()));
  }

  LogicalResult emit(OpBuilder &builder, func::FuncOp kernel, func::FuncOp &lowered, const GpuTarget &target) {
    for (Type type : kernel.getArgumentTypes())
      if (!cast<MemRefType>(type).hasStaticShape())
        return kernel.emitError("expected static sizes; symbolic ones are not supported yet with --device=cuda, got ")
               << type;
    Attribute chip = NVVM::NVVMTargetAttr::get(&getContext(), /*optLevel=*/3, "nvptx64-nvidia-cuda", target.name,
                                               /*features=*/"");
    auto module = gpu::GPUModuleOp::create(builder, kernel.getLoc(), (kernel.getSymName() + "_" + target.name).str(),
                                           builder.getArrayAttr(chip));
    // Tiles add up in an order of their own.
    FailureOr<GpuKernel> written = ask(strict ? ArrayRef<GpuEmitter *>() : opEmitters, kernel, target, module);
    if (failed(written)) {
      if (!lowered && failed(lower(kernel, lowered)))
        return failure();
      written = ask(linalgEmitters, lowered, target, module);
    }
    if (failed(written))
      return failure();
    SymbolTable::setSymbolName(written->function, kernel.getSymName());
    setAttributes(*written);
    return success();
  }

  FailureOr<GpuKernel> ask(ArrayRef<GpuEmitter *> emitters, func::FuncOp kernel, const GpuTarget &target,
                           gpu::GPUModuleOp module) {
    for (GpuEmitter *emitter : emitters)
      if (FailureOr<GpuKernel> written = emitter(kernel, target, {tf32, strict}, module); succeeded(written))
        return written;
    return failure();
  }

  /// A copy of `kernel` on linalg and tensor ops alone.
  LogicalResult lower(func::FuncOp kernel, func::FuncOp &lowered) {
    OpBuilder builder(kernel);
    lowered = cast<func::FuncOp>(builder.clone(*kernel));
    lowered.setSymName((kernel.getSymName() + "_linalg").str());
    OpPassManager pm(func::FuncOp::getOperationName());
    pm.addPass(createLowerToLinalg());
    pm.addPass(createDropSigns());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    return runPipeline(pm, lowered);
  }
};
} // namespace
