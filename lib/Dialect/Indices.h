// What the ops that pick or place elements by index share: checks of index tensors, and index arithmetic in loops.
#ifndef COAT_LIB_DIALECT_INDICES_H
#define COAT_LIB_DIALECT_INDICES_H

#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

namespace coat {

/// Fails unless `value` is a vector (or scalar) of i32 or i64 of static size.
llvm::LogicalResult checkIndexVector(EmitError emitError, llvm::StringRef name, mlir::Value value);

/// Fails unless elements are integers or floats, not truth values.
llvm::LogicalResult checkNumeric(EmitError emitError, mlir::Value value);

/// Copies every element.
void copyAll(ScalarLoops &loops, mlir::Value from, mlir::Value to);

/// `index`, counted from the front of `size` elements.
Scalar fromFront(Scalar index, Scalar size);

/// An index as an i64 number.
Scalar toInteger(ScalarLoops &loops, Scalar index);

/// A truth value.
Scalar truth(ScalarLoops &loops, bool value);
Scalar either(Scalar a, Scalar b);

/// Loops over all dimensions of `memref` but `axis`, whose index is left empty.
void eachExcept(ScalarLoops &loops, mlir::Value memref, int64_t axis, ScalarLoops::Body body);

/// The row-major position of `at` in a tensor of these sizes.
Scalars linearPosition(ScalarLoops &loops, llvm::ArrayRef<Scalar> at, llvm::ArrayRef<Scalar> sizes);

} // namespace coat

#endif
