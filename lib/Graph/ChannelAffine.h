// A per-channel scale and shift moved into the op that computes the channels.
#ifndef COAT_GRAPH_CHANNELAFFINE_H
#define COAT_GRAPH_CHANNELAFFINE_H

#include "Constants.h"
#include "mlir/IR/PatternMatch.h"

namespace coat::graph {

/// The dimension of the output channels of a conv, conv_transpose or matmul result; nullopt for other ops.
std::optional<int64_t> outputChannelDim(mlir::Operation *producer);

/// A copy of `producer` whose result is producer * scale[c] + shift[c], by way of its filter and bias. Null, with
/// nothing changed, when the result has other users, or a filter to be scaled or the bias is not an f32 or f64
/// constant.
mlir::Value withChannelAffine(mlir::RewriterBase &rewriter, mlir::Operation *producer, mlir::Location loc,
                              llvm::ArrayRef<double> scale, llvm::ArrayRef<double> shift);

/// The f32 or f64 constant `filter` with element i multiplied by factor(i).
mlir::Value scaledFilter(mlir::OpBuilder &builder, mlir::Location loc, const ConstantTensor &filter,
                         llvm::function_ref<double(int64_t)> factor);

} // namespace coat::graph

#endif
