// Index arithmetic of GPU kernels: i32, with constants kept apart, so that the places of neighbouring elements are seen
// to be neighbours. Equal expressions are one value within a scope.
#ifndef COAT_LIB_LOWER_NVGPU_INDICES_H
#define COAT_LIB_LOWER_NVGPU_INDICES_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include <map>

namespace coat {
/// value + offset; without a value a constant.
struct Index {
  mlir::Value value;
  int64_t offset = 0;

  Index() = default;
  Index(int64_t offset) : offset(offset) {}
  Index(mlir::Value value, int64_t offset) : value(value), offset(offset) {}
  bool isConstant() const { return !value; }
  bool operator==(const Index &other) const { return value == other.value && offset == other.offset; }
  bool operator<(const Index &other) const {
    return std::pair(value.getAsOpaquePointer(), offset) < std::pair(other.value.getAsOpaquePointer(), other.offset);
  }
};
using Position = llvm::SmallVector<Index, 4>;

class Indices {
public:
  Indices(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc), scopes(1) {}

  /// An i32 from outside, known to be a multiple of `multiple` and, unless said, not negative.
  Index unknown(mlir::Value value, int64_t multiple = 1, bool mayBeNegative = false);

  Index add(Index a, Index b);
  Index mul(Index a, int64_t factor);
  Index floorDiv(Index a, int64_t divisor);
  Index mod(Index a, int64_t divisor);
  /// The larger of `a` and `low`, then the smaller of it and `high`.
  Index clamp(Index a, int64_t low, int64_t high);
  Index select(mlir::Value condition, Index a); // else 0, and the offset stays
  mlir::Value isBelow(Index a, int64_t bound);  // as unsigned numbers: negative ones are not
  mlir::Value logicalAnd(mlir::Value a, mlir::Value b);

  Index eval(mlir::AffineExpr expr, llvm::ArrayRef<Index> dims);
  /// Row-major: the number of an element, and the element of a number.
  Index linear(llvm::ArrayRef<Index> at, llvm::ArrayRef<int64_t> strides);
  Position delinear(Index number, llvm::ArrayRef<int64_t> shape);

  mlir::Value asI32(Index index);
  mlir::Value asIndex(Index index);
  /// A number that `index` is a multiple of, not counting its offset.
  int64_t multipleOf(Index index) const;
  bool mayBeNegative(Index index) const;

  /// Values made in a region are not known outside of it.
  struct Scope {
    explicit Scope(Indices &indices) : indices(indices) { indices.scopes.emplace_back(); }
    ~Scope() { indices.scopes.pop_back(); }
    Indices &indices;
  };

private:
  enum class Kind { add, mul, div, mod, max, min, select, below, logicalAnd, constant, index };
  struct Facts {
    int64_t multiple = 1;
    bool mayBeNegative = false;
  };
  using Key = std::tuple<Kind, void *, void *, int64_t>;

  mlir::Value cached(Kind kind, mlir::Value a, mlir::Value b, int64_t number, Facts facts,
                     llvm::function_ref<mlir::Value()> make);
  mlir::Value constant(int64_t value);
  Facts factsOf(mlir::Value value) const { return facts.lookup(value); }

  mlir::OpBuilder &b;
  mlir::Location loc;
  llvm::SmallVector<std::map<Key, mlir::Value>> scopes;
  llvm::DenseMap<mlir::Value, Facts> facts;
};
} // namespace coat

#endif
