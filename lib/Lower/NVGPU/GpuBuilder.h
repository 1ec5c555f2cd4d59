// What the emitters of tensor-core kernels are written in: 32-bit index arithmetic that folds, loops, and the
// instructions of a warp as one call each.
//
// Why i32 and not index: a GPU has no 64-bit integer units; addresses become 64 bits wide only where a pointer is
// stepped.
#ifndef COAT_LIB_LOWER_NVGPU_GPUBUILDER_H
#define COAT_LIB_LOWER_NVGPU_GPUBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace coat {
using Values = llvm::SmallVector<mlir::Value>;

class GpuBuilder {
public:
  /// `builder` stands at the start of a kernel in a gpu.module.
  GpuBuilder(mlir::OpBuilder &builder, mlir::Location loc);

  // i32 arithmetic, without signs unless it says so; constants fold.
  mlir::Value i32(int64_t value);
  mlir::Value truth(bool value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t constant) { return constant ? add(a, i32(constant)) : a; }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t constant) { return constant == 1 ? a : mul(a, i32(constant)); }
  mlir::Value div(mlir::Value a, int64_t constant);
  mlir::Value rem(mlir::Value a, int64_t constant);
  mlir::Value bitXor(mlir::Value a, mlir::Value b);
  mlir::Value both(mlir::Value a, mlir::Value b); // of two truth values; one may be null, which is true
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value less(mlir::Value a, mlir::Value b) { return compare(mlir::arith::CmpIPredicate::ult, a, b); }
  mlir::Value less(mlir::Value a, int64_t b) { return less(a, i32(b)); }
  mlir::Value equal(mlir::Value a, int64_t b) { return compare(mlir::arith::CmpIPredicate::eq, a, i32(b)); }
  mlir::Value smaller(mlir::Value a, mlir::Value b); // of two signed values
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

  mlir::Value f32(double value);
  mlir::Value zero(mlir::Type type);
  mlir::Value bitcast(mlir::Value value, mlir::Type type);
  /// Two f32, rounded to `type` (of 16 bits), in one i32: `low` in the lower half.
  mlir::Value pack(mlir::Value low, mlir::Value high, mlir::Type type);

  using LoopBody = llvm::function_ref<Values(mlir::Value iv, mlir::ValueRange carried)>;
  Values loop(mlir::Value lower, mlir::Value upper, mlir::ValueRange carried, LoopBody body);
  void when(mlir::Value condition, llvm::function_ref<void()> body); // null: always
  Values choose(mlir::Value condition, llvm::function_ref<Values()> then, llvm::function_ref<Values()> otherwise);

  // Memory. Steps count elements of `type`.
  mlir::Value step(mlir::Value pointer, mlir::Value elements, mlir::Type type);
  mlir::Value load(mlir::Type type, mlir::Value pointer, int64_t alignment);
  void store(mlir::Value value, mlir::Value pointer, int64_t alignment);
  /// An argument of a kernel as a pointer to global memory.
  mlir::Value global(mlir::Value pointer);
  /// A byte of the kernel's dynamic shared memory.
  mlir::Value sharedAt(mlir::Value bytes) { return step(shared, bytes, b.getI8Type()); }

  void barrier();
  mlir::Value shuffleXor(mlir::Value value, int64_t mask);

  // cp.async: `bytes` of the copy are read, the rest of `size` is zero. `valid`, in bytes, null: all.
  void copyAsync(mlir::Value shared, mlir::Value global, int64_t size, mlir::Value valid);
  void commitCopies();
  void waitCopies(int64_t pending);

  // Warp matrices.
  Values loadMatrices(mlir::Value shared, int64_t count, bool transpose); // 8x8 of 16 bits each, as i32
  /// d = a b + c, m16n8k16 of f16 or bf16 (a: 4 i32, b: 2), m16n8k8 of tf32 (`type` f32; the same counts).
  Values multiply(llvm::ArrayRef<mlir::Value> a, llvm::ArrayRef<mlir::Value> b, llvm::ArrayRef<mlir::Value> c,
                  mlir::Type type);
  mlir::Value toTf32(mlir::Value bits);
  /// 2^x as one instruction; denormals are zero.
  mlir::Value exp2(mlir::Value x);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value shared, thread, warp, lane, block; // warp: the same value in all its threads, and ptxas knows it
};

/// Bits of an f16x2 or bf16x2 register as mma.sync takes them.
mlir::Type pairOf(mlir::Type type);
} // namespace coat

#endif
