// Where the tensors of an entry lie once it is a list of launches, and their sizes.
#ifndef COAT_KERNELS_BUFFERS_H
#define COAT_KERNELS_BUFFERS_H

#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include <functional>

namespace coat {

/// The row-major buffer that holds a tensor of this type.
mlir::MemRefType denseMemRef(mlir::RankedTensorType type);

/// Buffers and sizes of the tensors that the list has met so far. What it needs is built at the insertion point of
/// `builder`.
class Buffers {
public:
  /// A padding or concatenation is written by the producers of its operands only where `standsAlone` says that nothing
  /// is fused to it.
  Buffers(mlir::func::FuncOp entry, mlir::OpBuilder &builder, std::function<bool(mlir::Operation *)> standsAlone)
      : block(entry.getBody().front()), b(builder), standsAlone(std::move(standsAlone)) {}

  /// The buffer that holds `tensor`: an argument's, one that was set, or the weight of a constant.
  mlir::Value of(mlir::Value tensor);
  void set(mlir::Value tensor, mlir::Value memref) { buffers[tensor] = memref; }
  bool known(mlir::Value tensor) const { return buffers.contains(tensor); }

  /// One index value a dimension.
  llvm::SmallVector<mlir::Value> sizesOf(mlir::Value tensor);

  /// Where the producer of `tensor` writes: the place that its one padding or concatenating user keeps for it, the
  /// result of the entry, or a buffer of its own.
  mlir::Value placeFor(mlir::Value tensor);
  /// The part of the concatenation's buffer for its `operand`; null where that has no strides known here.
  mlir::Value placeInConcat(mlir::tensor::ConcatOp concat, mlir::Value tensor, unsigned operand);
  bool isPlaced(mlir::Operation *user, unsigned operand) const { return placed.contains({user, operand}); }
  /// The padded buffers that `placeFor` has begun since this was last asked: whoever writes inside fills the border
  /// too.
  llvm::SmallVector<std::pair<PadOp, mlir::Value>> takeBorders() { return std::exchange(borders, {}); }

  mlir::Value allocate(mlir::Value tensor);
  /// The part of the source's buffer, or null where its strides are not known here or leave gaps between elements of a
  /// row.
  mlir::Value viewOfSlice(mlir::tensor::ExtractSliceOp slice);
  /// The result of attention (`tensor`) within that of a transpose which leaves rows of channels whole; null for any
  /// other.
  mlir::Value placeInTranspose(TransposeOp transpose, mlir::Value tensor);
  /// A transpose that only attention reads, as a view: heads between other dimensions cost it nothing as long as
  /// channels lie side by side. Null for any other.
  mlir::Value viewOfTranspose(TransposeOp transpose);
  /// `memref` under another shape; null where it is part of a larger buffer and its strides have no such view.
  mlir::Value viewAs(mlir::Value memref, mlir::RankedTensorType shape, mlir::ValueRange dynamic);
  /// The first elements of a dense row-major buffer in a shape, whose sizes are `dims`.
  mlir::Value viewDense(mlir::Value memref, mlir::RankedTensorType shape, llvm::ArrayRef<mlir::OpFoldResult> dims);
  /// Where result `number` of the entry goes, `tensor` being what is returned.
  mlir::Value placeOfResult(unsigned number, mlir::Value tensor);

private:
  mlir::Value placeIn(mlir::Operation *user, mlir::Value tensor, unsigned operand);
  mlir::Value placeInPad(PadOp pad, mlir::Value tensor);
  mlir::Value placeInReshape(ReshapeOp reshape, mlir::Value tensor);
  mlir::Value viewOfPart(mlir::Value memref, mlir::RankedTensorType shape, mlir::ValueRange dynamic);
  mlir::Value withUnknownOffset(mlir::Value part);
  void resolveDims(mlir::Operation *before, mlir::Operation *end);

  mlir::Block &block;
  mlir::OpBuilder &b;
  std::function<bool(mlir::Operation *)> standsAlone;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> sizes;
  llvm::DenseSet<std::pair<mlir::Operation *, unsigned>> placed;
  llvm::SmallVector<std::pair<PadOp, mlir::Value>> borders;
};

} // namespace coat

#endif
