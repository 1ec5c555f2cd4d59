// What a kernel does with the sums of its product before it stores them: the element-wise generics behind the root,
// computed on values that are still in registers.
//
// A place of the result is (row, column): the column is the last dimension, the row counts all others. Operands that
// broadcast walk by digits, as in Contraction.h; a residual of the result's own layout is one multiplication.
#ifndef COAT_LIB_LOWER_NVGPU_EPILOGUE_H
#define COAT_LIB_LOWER_NVGPU_EPILOGUE_H

#include "Contraction.h"
#include "GpuBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace coat {
class Epilogue {
public:
  /// Whether all that follows `root` in `kernel` is one element-wise chain into one argument, and `bias` (may be null)
  /// can be computed.
  static bool covers(mlir::func::FuncOp kernel, mlir::Operation *root, mlir::Value bias);

  /// `pointers` are the kernel's arguments, in global memory. `bias`, of each column, is added to the sums; null: none.
  Epilogue(GpuBuilder &g, mlir::func::FuncOp kernel, mlir::Operation *root, mlir::Value bias,
           mlir::ValueRange pointers);

  /// The element at (row, column) and its right neighbours: as many as `sums`, f32 values of the root. `aligned`: the
  /// column is a multiple of their number.
  void store(mlir::Value row, mlir::Value column, llvm::ArrayRef<mlir::Value> sums, bool aligned);

  int64_t rows() const { return rowCount; }
  int64_t columns() const { return shape.back(); }

private:
  struct Place {
    mlir::Value row, column;
    int64_t width;
    bool aligned;
  };
  /// Where an argument has the place: digits of the row, stride of the column.
  struct Leaf {
    Digits row;
    int64_t column = 0, offset = 0;
    mlir::Type type;
  };
  /// Of an argument whose indices `map` gives from those of the result.
  Leaf leafOf(mlir::BlockArgument argument, mlir::AffineMap map) const;
  bool isVector(const Leaf &leaf, const Place &place) const;
  mlir::Value pointerTo(mlir::BlockArgument argument, const Leaf &leaf, const Place &place, mlir::Type type);
  Values loadLeaf(mlir::BlockArgument argument, mlir::AffineMap map, const Place &place);
  Values valuesOf(mlir::Value tensor, mlir::AffineMap map, const Place &place);
  Values valuesOf(mlir::linalg::GenericOp op, mlir::AffineMap map, const Place &place);

  GpuBuilder &g;
  mlir::Operation *root;
  mlir::Value bias, result, destination;
  Values pointers;
  llvm::SmallVector<int64_t> shape;
  int64_t rowCount = 1;
  llvm::DenseMap<std::pair<mlir::Value, mlir::AffineMap>, Values> known; // at the present place
};
} // namespace coat

#endif
