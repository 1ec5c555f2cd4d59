// See KernelFunction.h.
#include "KernelFunction.h"

using namespace mlir;
using namespace coat;

/// From the first to the last element of a memref of static layout.
static int64_t bytesOf(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset, last = 0;
  if (type.getNumElements() == 0 || failed(type.getStridesAndOffset(strides, offset)))
    return 0;
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
    last += (size - 1) * stride;
  int64_t bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
  return (last + 1) * llvm::divideCeil(bits, 8);
}

KernelFunction::KernelFunction(func::FuncOp kernel, gpu::GPUModuleOp into, ArrayRef<TensorMap> tensorMaps)
    : builder(OpBuilder::atBlockEnd(into.getBody())) {
  SmallVector<Type> types(kernel.getNumArguments() + tensorMaps.size(),
                          LLVM::LLVMPointerType::get(kernel.getContext()));
  function = func::FuncOp::create(builder, kernel.getLoc(), kernel.getSymName(), builder.getFunctionType(types, {}));
  // What an access is checked against, where kernels are emulated.
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes()))
    function.setArgAttr(i, "coat.bytes", builder.getI64IntegerAttr(bytesOf(cast<MemRefType>(type))));
  for (const TensorMap &map : tensorMaps) {
    // coat-finish-gpu-kernels makes it a parameter that is passed by value.
    function.setArgAttr(kernel.getNumArguments() + maps.size(), "coat.map", builder.getUnitAttr());
    maps.push_back(map.attribute(builder));
  }
  builder.setInsertionPointToStart(function.addEntryBlock());
}

Values KernelFunction::globalPointers(GpuBuilder &g) {
  return llvm::map_to_vector(pointers(), [&](Value pointer) { return g.global(pointer); });
}

GpuKernel KernelFunction::finish(int64_t blocks, int64_t threads, int64_t shared) {
  builder.setInsertionPointToEnd(&function.front());
  func::ReturnOp::create(builder, function.getLoc());
  GpuKernel kernel;
  kernel.function = function;
  kernel.grid = {blocks, 1, 1};
  kernel.block = {int32_t(threads), 1, 1};
  kernel.shared = shared;
  kernel.maps = builder.getArrayAttr(maps);
  return kernel;
}

LogicalResult KernelFunction::giveUp() {
  function.erase();
  return failure();
}
