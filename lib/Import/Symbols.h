// Symbolic dimensions and integers computed from them.
//
// Every integer that can end up in a shape is an expression over the model's
// symbols in a normal form, a sum of products: equality is equality of
// expressions, a comparison is decided by the symbols' ranges, and IR is built only
// for the sizes that an op really needs.
#ifndef COAT_LIB_IMPORT_SYMBOLS_H
#define COAT_LIB_IMPORT_SYMBOLS_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>
#include <vector>

namespace coat::onnx {

struct Symbol {
  std::string name;
  int64_t min = 1, max = 1;
};

/// Bounds of an expression, both inclusive.
struct Bounds {
  int64_t min, max;
};

class Symbols {
public:
  explicit Symbols(mlir::MLIRContext *context) : context(context) {}

  /// The symbol of this name, which is new or has the same range.
  mlir::AffineExpr add(llvm::StringRef name, int64_t min, int64_t max);
  mlir::AffineExpr constant(int64_t value) const { return mlir::getAffineConstantExpr(value, context); }
  llvm::ArrayRef<Symbol> all() const { return symbols; }

  /// Sums, products, floor and ceiling divisions; null when a constant overflows or a divisor may be zero or less.
  mlir::AffineExpr sum(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr difference(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr product(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr product(llvm::ArrayRef<mlir::AffineExpr> factors) const;
  mlir::AffineExpr floorDiv(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr ceilDiv(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr mod(mlir::AffineExpr a, mlir::AffineExpr b) const;
  /// Null when the ranges do not decide.
  mlir::AffineExpr min(mlir::AffineExpr a, mlir::AffineExpr b) const;
  mlir::AffineExpr max(mlir::AffineExpr a, mlir::AffineExpr b) const;
  std::optional<bool> less(mlir::AffineExpr a, mlir::AffineExpr b) const;
  std::optional<bool> equal(mlir::AffineExpr a, mlir::AffineExpr b) const;
  /// Product of `whole` divided by the product of `parts`, common factors cancelled; null unless it is exact.
  mlir::AffineExpr quotient(llvm::ArrayRef<mlir::AffineExpr> whole, llvm::ArrayRef<mlir::AffineExpr> parts) const;

  std::optional<Bounds> range(mlir::AffineExpr expr) const;
  /// The normal form, in which N * (S * 3) and N * S * 3 are one expression.
  mlir::AffineExpr simplify(mlir::AffineExpr expr) const;
  /// With the symbols' names: "N * 2 + 1".
  std::string print(mlir::AffineExpr expr) const;

private:
  mlir::MLIRContext *context;
  std::vector<Symbol> symbols;
};

/// The value of a constant expression.
std::optional<int64_t> constantOf(mlir::AffineExpr expr);

} // namespace coat::onnx

#endif
