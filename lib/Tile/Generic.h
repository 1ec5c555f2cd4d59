// Short spellings for the linalg that coat-lower-to-linalg builds: sizes, empty and filled tensors, and
// generics whose loops are "the result's dimensions, then reductions".
#ifndef COAT_LIB_TILE_GENERIC_H
#define COAT_LIB_TILE_GENERIC_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace coat {
using BodyBuilder = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// Sizes of the ranked tensor `value`; static ones are attributes.
llvm::SmallVector<mlir::OpFoldResult> sizesOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value);

/// A tensor of `sizes` filled with the constant `fill` (of the element type).
mlir::Value filled(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                   mlir::TypedAttr fill);

/// One parallel generic over a fresh tensor of `sizes`; `maps` are those of the inputs, the result's is the
/// identity. `body` gets one scalar an input.
mlir::Value mapped(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                   mlir::Type elementType, mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps,
                   BodyBuilder body);

/// One generic over `init.rank` parallel loops and `reductions` reduction loops after them; `body` gets one
/// scalar an input and the accumulator last. `inputs` must span every reduction loop.
mlir::Value reduced(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value init, int64_t reductions,
                    mlir::ValueRange inputs, llvm::ArrayRef<mlir::AffineMap> maps, BodyBuilder body);

/// (d0, .., d<loops-1>) -> (d0, .., d<results-1>), also for no results.
mlir::AffineMap leadingDims(mlir::MLIRContext *context, int64_t loops, int64_t results);

/// The attribute of the scalar `value` in `type` (rounded to nearest for integers).
mlir::TypedAttr scalarAttr(mlir::Type type, double value);
/// The same as arith.constant; one of an unsigned type is a signless constant and a cast.
mlir::Value scalarConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::TypedAttr value);
mlir::Value scalarConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type, double value);

/// Map of an operand of shape `operand` that broadcasts (NumPy) into a space of `rank` loops of sizes
/// `result`: size-1 dimensions read element 0.
mlir::AffineMap broadcastMap(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> operand,
                             llvm::ArrayRef<int64_t> result);
} // namespace coat

#endif
