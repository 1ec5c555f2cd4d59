// Bounds of index values: how large a symbolic buffer can get.
//
// Why not ValueBoundsConstraintSet: sizes of padded and strided windows multiply and divide symbols, which is not
// affine; intervals over a handful of ops are enough, and never fail to terminate.
#ifndef COAT_LIB_MEMORY_SIZEBOUNDS_H
#define COAT_LIB_MEMORY_SIZEBOUNDS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace coat {

/// A closed interval; the two ends stand for "unbounded".
struct SizeRange {
  static constexpr int64_t lowest = -(int64_t(1) << 62), highest = int64_t(1) << 62;
  int64_t low = lowest, high = highest;

  bool bounded() const { return high < highest; }
  SizeRange join(SizeRange other) const { return {std::min(low, other.low), std::max(high, other.high)}; }
};

class SizeBounds {
public:
  /// Bounds of the sizes of a function's memref arguments, by argument and dimension; absent means unbounded.
  using ArgumentSizes = llvm::DenseMap<std::pair<unsigned, int64_t>, SizeRange>;

  explicit SizeBounds(ArgumentSizes argumentSizes) : argumentSizes(std::move(argumentSizes)) {}

  /// The bounds of `value`, an index or integer.
  SizeRange of(mlir::OpFoldResult value);
  /// The bounds of a memref's dimension.
  SizeRange ofDimension(mlir::Value memref, int64_t dimension);
  /// The largest size in bytes of a dense buffer of this type and these dynamic sizes, or none when it is unbounded.
  std::optional<int64_t> largestBytes(mlir::MemRefType type, mlir::ValueRange dynamicSizes);

private:
  SizeRange compute(mlir::Value value);
  SizeRange computeDimension(mlir::Value memref, int64_t dimension);

  ArgumentSizes argumentSizes;
  llvm::DenseMap<mlir::Value, SizeRange> known;
};

/// The sizes of the entry's arguments, from coat.symbols and coat.dims; an error is emitted where these are malformed.
mlir::FailureOr<SizeBounds::ArgumentSizes> sizesOfEntryArguments(mlir::func::FuncOp entry);

} // namespace coat

#endif
