// Formulas as loops: what the op families need to write a kernel nearly as it stands in the op's definition.
#ifndef COAT_DIALECT_SCALARLOOPS_H
#define COAT_DIALECT_SCALARLOOPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace coat {

class ScalarLoops;

/// An index, integer or float under construction, with the operators of formulas. Both operands of an operator have
/// one type; a C++ number takes the other's. `isUnsigned` picks the unsigned form of division, order and extension.
class Scalar {
public:
  Scalar() = default;
  Scalar(ScalarLoops &loops, mlir::Value value, bool isUnsigned = false)
      : loops(&loops), value(value), isUnsigned(isUnsigned) {}

  operator mlir::Value() const { return value; }
  mlir::Type type() const { return value.getType(); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(value.getType()); }
  /// A constant of this scalar's type.
  Scalar constant(double number) const;

  ScalarLoops *loops = nullptr;
  mlir::Value value;
  bool isUnsigned = false;
};

using Scalars = mlir::SmallVector<Scalar>;

Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b); // integers: toward zero
Scalar operator%(Scalar a, Scalar b);
Scalar operator<(Scalar a, Scalar b);
Scalar operator<=(Scalar a, Scalar b);
Scalar operator>(Scalar a, Scalar b);
Scalar operator>=(Scalar a, Scalar b);
Scalar operator==(Scalar a, Scalar b);
Scalar operator&&(Scalar a, Scalar b); // of bools, both evaluated
Scalar operator-(Scalar a);
inline Scalar operator+(Scalar a, double b) { return a + a.constant(b); }
inline Scalar operator-(Scalar a, double b) { return a - a.constant(b); }
inline Scalar operator*(Scalar a, double b) { return a * a.constant(b); }
inline Scalar operator/(Scalar a, double b) { return a / a.constant(b); }
inline Scalar operator%(Scalar a, double b) { return a % a.constant(b); }
inline Scalar operator<(Scalar a, double b) { return a < a.constant(b); }
inline Scalar operator>=(Scalar a, double b) { return a >= a.constant(b); }
inline Scalar operator==(Scalar a, double b) { return a == a.constant(b); }
Scalar max(Scalar a, Scalar b); // floats: NaN if either is
Scalar min(Scalar a, Scalar b);
Scalar select(Scalar condition, Scalar a, Scalar b);
Scalar abs(Scalar a);
Scalar exp(Scalar a);
Scalar log(Scalar a);
Scalar sqrt(Scalar a);
Scalar pow(Scalar a, double exponent);
Scalar tanh(Scalar a);
Scalar floor(Scalar a);
Scalar ceil(Scalar a);
/// `a`, held between `low` and `high`, both included.
Scalar clamp(Scalar a, Scalar low, Scalar high);

/// The half-open range of a loop.
struct LoopRange {
  Scalar begin, end;
};

class ScalarLoops {
public:
  using Body = llvm::function_ref<void(const Scalars &indices)>;
  using Step = llvm::function_ref<Scalars(const Scalars &indices, const Scalars &values)>;

  /// Marks an scf.for whose iterations may be run in any order.
  static constexpr llvm::StringLiteral independent = "coat.independent";

  ScalarLoops(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  Scalar index(int64_t value);
  Scalar number(double value, mlir::Type type);
  Scalar toFloat(Scalar number, mlir::Type floatType);
  Scalar toIndex(Scalar number);
  Scalar dim(mlir::Value memref, int64_t dimension);
  Scalars dims(mlir::Value memref);

  /// Scratch of the kernel, of `elementType`; sizes that are constants become the type's.
  mlir::Value buffer(mlir::Type elementType, mlir::ArrayRef<Scalar> sizes);

  /// The loops over all elements of `result`, except along the dimensions `whole`, whose indices are left empty. The
  /// outermost one or two of the loops (never the last dimension) are the scf.forall, that is, the tasks; the others
  /// carry `independent`.
  void eachResult(mlir::Value result, mlir::ArrayRef<int64_t> whole, Body body);
  /// One scf.forall.
  void parallel(mlir::ArrayRef<Scalar> extents, Body body);
  /// A nest of scf.for.
  void each(mlir::ArrayRef<Scalar> extents, Body body);
  /// A nest of scf.for that carries values.
  Scalars accumulate(mlir::ArrayRef<LoopRange> ranges, Scalars init, Step step);
  LoopRange upTo(Scalar end) { return {index(0), end}; }

  void ifTrue(Scalar condition, llvm::function_ref<void()> then);
  Scalar ifElse(Scalar condition, llvm::function_ref<Scalar()> then, llvm::function_ref<Scalar()> otherwise);

  /// The type that elements are computed in: f32 for the narrower floats, else the (signless) type itself.
  static mlir::Type computeType(mlir::Type elementType);
  Scalar load(mlir::Value memref, const Scalars &indices);
  void store(Scalar value, mlir::Value memref, const Scalars &indices);
  /// The indices in `memref` of an element of the shape that it broadcasts to, as in NumPy.
  Scalars broadcastIndices(mlir::Value memref, const Scalars &indices);
  /// Elements in their own type: what movement and the formulas of the dialect take.
  mlir::Value loadElement(mlir::Value memref, const Scalars &indices);
  void storeElement(mlir::Value element, mlir::Value memref, const Scalars &indices);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace coat

#endif
