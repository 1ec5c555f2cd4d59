// The ops of an entry as they are where its symbolic dimensions have the sizes that --dim N=1..32:8 names.
#ifndef COAT_LIB_LAYOUT_ATOPTIMUM_H
#define COAT_LIB_LAYOUT_ATOPTIMUM_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {

/// A copy of the entry in which every `?` that follows from symbols with an optimum is that number.
class AtOptimum {
public:
  explicit AtOptimum(mlir::func::FuncOp entry);
  /// What to ask Strategy about: the copy of `op`, an op of the entry's block; `op` itself where no symbol has an
  /// optimum.
  mlir::Operation *of(mlir::Operation *op) const;

private:
  void setSizes(mlir::Operation &op);
  std::optional<int64_t> number(mlir::Value size) const;
  void setResult(mlir::Operation &op, mlir::ArrayRef<int64_t> shape);
  /// The result's `?` in order by the sizes that the op is given for them.
  void setGivenSizes(mlir::Operation &op, mlir::ValueRange given);

  mlir::OwningOpRef<mlir::func::FuncOp> copy;
  llvm::DenseMap<mlir::Operation *, mlir::Operation *> copies;
  llvm::DenseMap<mlir::Value, int64_t> numbers; // of sizes, in the copy
};

} // namespace coat

#endif
