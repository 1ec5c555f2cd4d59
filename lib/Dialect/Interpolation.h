// Reading between the elements of a tensor: the neighbours of a position and what each weighs.
#ifndef COAT_LIB_DIALECT_INTERPOLATION_H
#define COAT_LIB_DIALECT_INTERPOLATION_H

#include "coat/Dialect/Coat.h"
#include "coat/Dialect/ScalarLoops.h"

namespace coat {

/// A neighbour along one dimension, always an element; `inside` is false where it stands for one outside (null: never).
struct Tap {
  Scalar index, weight, inside;
};
using Taps = llvm::SmallVector<Tap>;

/// The neighbours of position `x`, any float, in a dimension of `size` elements. Padding is constant, edge or reflect;
/// it mirrors at the centers of the outer elements with `alignCorners`, else at their edges.
Taps tapsAt(Scalar x, Scalar size, ResizeMode mode, PadMode padding, bool alignCorners);

/// A neighbour in several dimensions.
struct Corner {
  Scalars indices;
  Scalar weight, inside;
};

/// One corner for each choice of a tap a dimension.
llvm::SmallVector<Corner> cornersOf(llvm::ArrayRef<Taps> dimensions);

/// `element` times the weight; zero where the corner is outside.
Scalar weighted(const Corner &corner, Scalar element);

/// `a`, held between `low` and `high`; NaN is `low`.
Scalar hold(Scalar a, Scalar low, Scalar high);

} // namespace coat

#endif
