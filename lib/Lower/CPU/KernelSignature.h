// How memrefs cross the boundary of a kernel: the words of a launch and of the kernel's C signature.
//
// A memref argument is a pointer (its base plus a dynamic offset; a static offset stays in the type), then come, for
// all arguments in order, the dynamic sizes of each and, where its layout is strided, its dynamic strides.
#ifndef COAT_LOWER_CPU_KERNELSIGNATURE_H
#define COAT_LOWER_CPU_KERNELSIGNATURE_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"

namespace coat {

/// Number of dynamic sizes and dynamic strides of `type`: the i64s that follow its pointer.
int64_t numExtents(mlir::MemRefType type);

/// Pointers and extents of all memref arguments of `kernel`.
int64_t numWords(mlir::func::FuncOp kernel);

/// A memref of `type` at `pointer`; `extents` are its dynamic sizes, then its dynamic strides (i64). Strides of dense
/// types follow from the sizes.
mlir::Value makeMemRef(mlir::OpBuilder &b, mlir::Location loc, const mlir::LLVMTypeConverter &converter,
                       mlir::MemRefType type, mlir::Value pointer, mlir::ValueRange extents);

/// The reverse: the pointer of `memref`, and its extents.
mlir::Value takeApart(mlir::OpBuilder &b, mlir::Location loc, const mlir::LLVMTypeConverter &converter,
                      mlir::Value memref, llvm::SmallVectorImpl<mlir::Value> &extents);

} // namespace coat

#endif
