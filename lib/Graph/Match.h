// Small matchers that the recognition and folding passes share: which op computes a value, scalar constants,
// operands of commutative ops in either order.
#ifndef COAT_GRAPH_MATCH_H
#define COAT_GRAPH_MATCH_H

#include "Constants.h"
#include "coat/Dialect/Coat.h"
#include "mlir/IR/PatternMatch.h"

namespace coat::graph {

/// The element-wise op of `kind` that computes `value`, or null.
ElementwiseOp definedBy(mlir::Value value, ElementwiseKind kind);

/// The number that all elements of the constant `value` equal (looking at up to 4096 elements), or nullopt.
std::optional<double> uniformConstant(mlir::Value value);

/// Whether `value` is a constant whose elements all equal `number` to f32 rounding.
bool isUniform(mlir::Value value, double number);

/// For `value` = kind(other, c) of the same type as `other`, c a uniform constant (on either side when the
/// kind commutes): other and c.
struct WithScalar {
  mlir::Value other;
  double scalar = 0;
};
std::optional<WithScalar> withScalar(mlir::Value value, ElementwiseKind kind);

/// `value` = other * factor, spelled as a product or a quotient with a uniform constant, or (factor 1) value itself.
WithScalar scaled(mlir::Value value);

/// Calls `match(a, b)` with the operands of the binary op in both orders until it holds.
bool eitherOrder(ElementwiseOp op, llvm::function_ref<bool(mlir::Value, mlir::Value)> match);

/// The ranked tensor type of `value`.
inline mlir::RankedTensorType tensorType(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}

/// When the constant `value`, broadcast to a tensor of `rank` dimensions with `channels` elements in dimension
/// `channelDim`, differs along that dimension only: one number a channel.
std::optional<llvm::SmallVector<double>> perChannel(mlir::Value value, int64_t rank, int64_t channelDim,
                                                    int64_t channels);

/// The unary element-wise op kind(input).
mlir::Value unary(mlir::OpBuilder &builder, mlir::Location loc, ElementwiseKind kind, mlir::Value input,
                  std::optional<double> alpha = {}, std::optional<double> beta = {});

/// The binary element-wise op kind(lhs, rhs) with the result type `type`.
mlir::Value binary(mlir::OpBuilder &builder, mlir::Location loc, ElementwiseKind kind, mlir::Type type, mlir::Value lhs,
                   mlir::Value rhs);

} // namespace coat::graph

#endif
