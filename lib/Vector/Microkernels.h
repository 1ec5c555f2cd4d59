// The emitters of the Vector stage that replace one tile-sized coat op (and the element-wise op that reads it).
#ifndef COAT_LIB_VECTOR_MICROKERNELS_H
#define COAT_LIB_VECTOR_MICROKERNELS_H

#include "coat/Dialect/Coat.h"
#include "mlir/IR/PatternMatch.h"

namespace coat {
/// `reg`: the register tile, one entry a dimension of the result; `lanes`: f32 lanes of a vector.
void emitMicrokernel(mlir::RewriterBase &rewriter, ConvOp op, llvm::ArrayRef<int64_t> reg, int64_t lanes);
/// A convolution with a filter a channel.
void emitDepthwise(mlir::RewriterBase &rewriter, ConvOp op, llvm::ArrayRef<int64_t> reg, int64_t lanes);
void emitMicrokernel(mlir::RewriterBase &rewriter, MatmulOp op, llvm::ArrayRef<int64_t> reg, int64_t lanes);
void emitMicrokernel(mlir::RewriterBase &rewriter, WinogradInputOp op, int64_t lanes);
void emitMicrokernel(mlir::RewriterBase &rewriter, WinogradConvOp op, llvm::ArrayRef<int64_t> reg, int64_t lanes);
} // namespace coat

#endif
