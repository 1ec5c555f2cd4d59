// The formulas of all ops, one overload each; a family is a file. `in` holds the memrefs of the operands by name,
// `out` those of the results. An error has been emitted where one fails.
#ifndef COAT_LIB_REFERENCE_FORMULAS_H
#define COAT_LIB_REFERENCE_FORMULAS_H

#include "coat/Dialect/Coat.h"
#include "coat/Dialect/ScalarLoops.h"

namespace coat::formulas {

using mlir::LogicalResult;
using mlir::ValueRange;

LogicalResult write(ScalarLoops &loops, ConvOp op, ConvOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, ConvTransposeOp op, ConvTransposeOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, MatmulOp op, MatmulOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, PoolOp op, PoolOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, GlobalPoolOp op, GlobalPoolOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, ResizeOp op, ResizeOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, AttentionOp op, AttentionOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, SoftmaxOp op, SoftmaxOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, BatchNormOp op, BatchNormOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, LayerNormOp op, LayerNormOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, GroupNormOp op, GroupNormOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, LRNOp op, LRNOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, ElementwiseOp op, ElementwiseOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, CastOp op, CastOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, ReduceOp op, ReduceOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, ArgReduceOp op, ArgReduceOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, TransposeOp op, TransposeOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, BroadcastOp op, BroadcastOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, PadOp op, PadOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, GatherOp op, GatherOp::Adaptor in, ValueRange out);
LogicalResult write(ScalarLoops &loops, mlir::tensor::ConcatOp op, mlir::tensor::ConcatOp::Adaptor in, ValueRange out);

/// `in` is the source, then a memref for each dynamic offset and stride whose size is that number.
LogicalResult writeSlice(ScalarLoops &loops, mlir::tensor::ExtractSliceOp op, ValueRange in, mlir::Value out);
void writeCopy(ScalarLoops &loops, mlir::Value in, mlir::Value out);

/// The least element of a type: -inf, or the smallest integer.
Scalar lowest(ScalarLoops &loops, mlir::Type elementType);
/// The greatest element of a type: inf, or the largest integer.
Scalar highest(ScalarLoops &loops, mlir::Type elementType);

/// Import leaves plain layouts only; anything else comes from an optimising stage and has no place at -O0.
template <typename Op> LogicalResult expectChannelsFirst(Op op) {
  if (op.getDataLayout() == DataLayout::channels_first)
    return mlir::success();
  return op.emitError("expected data_layout channels_first, got ") << stringifyDataLayout(op.getDataLayout());
}

} // namespace coat::formulas

#endif
