// coat-lower-kernels: kernels get the C signature under which they are compiled, and thunks that call them.
//
// Upstream's bare-pointer convention refuses dynamic sizes and upstream's descriptors pass seven words a memref. Here a
// static memref is one pointer: code sees its strides as constants. `noalias` on the pointers is what lets LLVM hoist
// and vectorize loads across stores (one kernel's operands come from one arena, so it could not know otherwise).
//
//   func @k(%a: memref<?x4xf32>, %o: memref<?x4xf32>, %task: index)
//   -> func @k(%a: ptr noalias, %o: ptr noalias, %n0: i64, %n1: i64, %task: i64, %scratch: ptr)
//      func @k_thunk(%args: ptr, %task: i64, %scratch: ptr)   loads the words and calls @k
#include "KernelSignature.h"
#include "coat/Dialect/Coat.h"
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace coat {
#define GEN_PASS_DEF_LOWERKERNELS
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// Rebuilds the scratch memrefs of `kernel` from its last argument.
void lowerScratch(func::FuncOp kernel, const LLVMTypeConverter &converter, Value scratch) {
  kernel.walk([&](ScratchOp op) {
    OpBuilder b(op);
    SmallVector<Value> sizes;
    for (Value size : op.getSizes())
      sizes.push_back(arith::IndexCastOp::create(b, op.getLoc(), b.getI64Type(), size));
    // A value, because the constant indices of a GEP have 29 bits.
    Value offset = LLVM::ConstantOp::create(b, op.getLoc(), b.getI64Type(), op.getOffset());
    Value address =
        LLVM::GEPOp::create(b, op.getLoc(), scratch.getType(), b.getI8Type(), scratch, ArrayRef<LLVM::GEPArg>{offset});
    op.replaceAllUsesWith(makeMemRef(b, op.getLoc(), converter, cast<MemRefType>(op.getType()), address, sizes));
    op.erase();
  });
}

LogicalResult checkKernel(func::FuncOp kernel) {
  if (!kernel->hasAttr("coat.tasks"))
    return kernel.emitOpError("expected a kernel that went through coat-lower-tasks");
  for (Type type : kernel.getArgumentTypes().drop_back())
    if (!isa<MemRefType>(type))
      return kernel.emitOpError("expected memref arguments, got ") << type;
  WalkResult result = kernel.walk([](memref::AllocOp op) -> WalkResult {
    return op.emitOpError("expected the Memory stage to have placed every buffer of a kernel in the scratch");
  });
  return failure(result.wasInterrupted());
}

LogicalResult lowerKernel(func::FuncOp kernel, const LLVMTypeConverter &converter) {
  if (failed(checkKernel(kernel)))
    return failure();
  OpBuilder b(kernel.getBody());
  Location loc = kernel.getLoc();
  Type ptr = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
  auto types = llvm::map_to_vector(kernel.getArgumentTypes().drop_back(), llvm::CastTo<MemRefType>);
  Block &body = kernel.getBody().front();
  unsigned oldCount = kernel.getNumArguments();
  SmallVector<Type> inputs(types.size(), ptr);
  inputs.append(numWords(kernel) - types.size(), i64);
  inputs.append({i64, ptr});
  for (Type type : inputs)
    body.addArgument(type, loc);
  ValueRange words = body.getArguments().drop_front(oldCount);
  ValueRange extents = words.drop_front(types.size());
  for (auto [index, type] : llvm::enumerate(types)) {
    int64_t count = numExtents(type);
    Value memref = makeMemRef(b, loc, converter, type, words[index], extents.take_front(count));
    body.getArgument(index).replaceAllUsesWith(memref);
    extents = extents.drop_front(count);
  }
  Value task = arith::IndexCastOp::create(b, loc, b.getIndexType(), extents[0]);
  body.getArgument(oldCount - 1).replaceAllUsesWith(task);
  lowerScratch(kernel, converter, extents[1]);
  body.eraseArguments(0, oldCount);
  kernel.removeArgAttrsAttr();
  kernel.setFunctionType(b.getFunctionType(inputs, {}));
  for (unsigned i = 0; i < types.size(); i++)
    kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  kernel.setArgAttr(inputs.size() - 1, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  return success();
}

/// `@<kernel>_thunk(args, task, scratch)`: coat-lower-entry declares it where a launch needs it.
void writeThunk(func::FuncOp kernel, func::FuncOp thunk) {
  OpBuilder b(kernel.getContext());
  b.setInsertionPointToStart(thunk.addEntryBlock());
  Location loc = kernel.getLoc();
  Type ptr = LLVM::LLVMPointerType::get(b.getContext());
  SmallVector<Value> operands;
  for (auto [word, type] : llvm::enumerate(kernel.getArgumentTypes().drop_back(2))) {
    Value slot =
        LLVM::GEPOp::create(b, loc, ptr, b.getI64Type(), thunk.getArgument(0), ArrayRef<LLVM::GEPArg>{int32_t(word)});
    operands.push_back(LLVM::LoadOp::create(b, loc, type, slot));
  }
  operands.append({thunk.getArgument(1), thunk.getArgument(2)});
  func::CallOp::create(b, loc, kernel, operands);
  func::ReturnOp::create(b, loc);
}

struct LowerKernels : coat::impl::LowerKernelsBase<LowerKernels> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    for (auto func : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!func->hasAttr("coat.kernel"))
        continue;
      if (failed(lowerKernel(func, converter)))
        return signalPassFailure();
      if (auto thunk = getOperation().lookupSymbol<func::FuncOp>((func.getName() + "_thunk").str()))
        writeThunk(func, thunk);
    }
  }
};
} // namespace
