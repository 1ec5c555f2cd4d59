// How a kernel on the host calls the emulator's runtime: an op's operands are packed into a struct on the stack,
// results are read from another, because a rendezvous needs those of all lanes at once.
#ifndef COAT_LIB_EMULATE_RUNTIMECALLS_H
#define COAT_LIB_EMULATE_RUNTIMECALLS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace coat::emulate {

/// Calls inside one function. Types are still those of the GPU: pointers to shared memory lose their address space
/// later.
class RuntimeCalls {
public:
  explicit RuntimeCalls(mlir::LLVM::LLVMFuncOp function);

  /// Replaces `op` by `name(fields *, results *)`; the fields are the op's place and `fields`, as a C struct has them:
  /// integers below 32 bits are widened, aggregates are their elements, a null value is a zero word.
  void replacePacked(mlir::Operation *op, llvm::StringRef name, llvm::ArrayRef<mlir::Value> fields);
  /// Calls `name` with plain arguments in front of `op`.
  mlir::Value call(mlir::Operation *op, llvm::StringRef name, mlir::Type result, mlir::ValueRange arguments);

  mlir::Value constant(mlir::Operation *before, int64_t value, unsigned bits = 32);
  /// A C string that names the op and its location.
  mlir::Value site(mlir::Operation *op);
  /// Address of `name`, data of the runtime.
  mlir::Value data(mlir::Operation *before, llvm::StringRef name);

  /// Some thread may wait for another.
  bool meets() const { return hasPacked; }

private:
  mlir::LLVM::LLVMFuncOp declare(llvm::StringRef name, mlir::Type result, mlir::TypeRange arguments);
  mlir::Value room(llvm::StringRef which);
  void flatten(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
               llvm::SmallVectorImpl<mlir::Value> &words);

  mlir::LLVM::LLVMFuncOp function;
  mlir::Operation *module;
  mlir::Value operandRoom, resultRoom;
  bool hasPacked = false;
};

/// `op`, if it is an instruction of the GPU, becomes calls. failure() with a diagnostic: one the emulator does not
/// know.
llvm::LogicalResult replaceInstruction(mlir::Operation *op, RuntimeCalls &calls);
/// The same of PTX text in llvm.inline_asm and nvvm.inline_ptx, and of llvm.call_intrinsic.
llvm::LogicalResult replaceText(mlir::Operation *op, RuntimeCalls &calls);
/// Whether `op` is a wgmma written as text.
bool isProductText(mlir::Operation *op);

/// Checks in front of every access to memory; false when the function has none to shared memory.
void guardMemory(mlir::LLVM::LLVMFuncOp function, RuntimeCalls &calls, bool isKernel);
/// The parameter that an address was computed from; -1: unknown, -2: shared memory, -3: the thread's own stack.
int32_t rootOfAddress(mlir::Value address, bool isKernel);
/// Opens results of wgmma where they are computed with.
llvm::LogicalResult settleProducts(mlir::LLVM::LLVMFuncOp function, RuntimeCalls &calls);

} // namespace coat::emulate

#endif
