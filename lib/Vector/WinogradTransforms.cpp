// See WinogradTransforms.h. The interpolation points of F(m, 3) are 0, 1, -1 and, for m = 4, 2, -2, and infinity: rows
// of B^T and A^T for points p and -p differ in the signs of their odd terms only, so each pair is computed from one
// even and one odd sum.
//
// With stride 2 the even inputs meet the first and the last tap, as F(m, 2) computes it, and the odd ones the middle
// tap, one product each. The points of F(m, 2) are 0, 1, infinity and, for m = 4, -1, 2.
#include "WinogradTransforms.h"

using namespace mlir;
using namespace coat;

using Values = SmallVector<Value>;

namespace {
struct Arithmetic {
  VectorBuilder &v;

  Value add(Value a, Value b) { return arith::AddFOp::create(v.builder, v.loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(v.builder, v.loc, a, b); }
  /// factor * a + b
  Value addScaled(double factor, Value a, Value b) {
    return v.multiplyAdd(v.splat(v.builder.getF32FloatAttr(factor)), a, b);
  }
};
} // namespace

/// B^T d for m = 2:       and for m = 4:
///   1  0 -1  0             4  0 -5  0  1  0
///   0  1  1  0             0 -4 -4  1  1  0
///   0 -1  1  0             0  4 -4 -1  1  0
///   0  1  0 -1             0 -2 -1  2  1  0
///                          0  2 -1 -2  1  0
///                          0  4  0 -5  0  1
static Values transformDenseInput(Arithmetic a, int64_t m, ArrayRef<Value> d) {
  if (m == 2)
    return {a.sub(d[0], d[2]), a.add(d[1], d[2]), a.sub(d[2], d[1]), a.sub(d[1], d[3])};
  Value even1 = a.addScaled(-4, d[2], d[4]), odd1 = a.addScaled(-4, d[1], d[3]);
  Value even2 = a.sub(d[4], d[2]), halfOdd2 = a.sub(d[3], d[1]);
  return {a.addScaled(4, d[0], a.addScaled(-5, d[2], d[4])),
          a.add(even1, odd1),
          a.sub(even1, odd1),
          a.addScaled(2, halfOdd2, even2),
          a.addScaled(-2, halfOdd2, even2),
          a.addScaled(4, d[1], a.addScaled(-5, d[3], d[5]))};
}

/// A^T p for m = 2:       and for m = 4:
///   1  1  1  0             1  1  1  1  1  0
///   0  1 -1 -1             0  1 -1  2 -2  0
///                          0  1  1  4  4  0
///                          0  1 -1  8 -8  1
static Values transformDenseOutput(Arithmetic a, int64_t m, ArrayRef<Value> p) {
  Value even1 = a.add(p[1], p[2]), odd1 = a.sub(p[1], p[2]);
  if (m == 2)
    return {a.add(p[0], even1), a.sub(odd1, p[3])};
  Value even2 = a.add(p[3], p[4]), odd2 = a.sub(p[3], p[4]);
  return {a.add(a.add(p[0], even1), even2), a.addScaled(2, odd2, odd1), a.addScaled(4, even2, even1),
          a.add(a.addScaled(8, odd2, odd1), p[5])};
}

/// B^T e for m = 2:       and for m = 4:        e: the even inputs; the odd ones follow
///   1 -1  0                2 -1 -2  1  0
///   0  1  0                0 -2 -1  1  0
///   0  1 -1                0  2 -3  1  0
///                          0 -1  0  1  0
///                          0  2 -1 -2  1
static Values transformStridedInput(Arithmetic a, int64_t m, ArrayRef<Value> d) {
  if (m == 2)
    return {a.sub(d[0], d[2]), d[2], a.sub(d[2], d[4]), d[1], d[3]};
  Value e1 = d[2], e2 = d[4], odd = a.sub(d[6], e1);
  return {a.addScaled(2, a.sub(d[0], e2), odd),
          a.sub(odd, a.add(e1, e2)),
          a.addScaled(3, a.sub(e1, e2), odd),
          odd,
          a.addScaled(-2, odd, a.sub(d[8], e2)),
          d[1],
          d[3],
          d[5],
          d[7]};
}

/// A^T p for m = 2:       and for m = 4:        then the product of an odd input is added to each
///   1  1  0                1  1  1  1  0
///   0  1 -1                0  1 -1  2  0
///                          0  1  1  4  0
///                          0  1 -1  8  1
static Values transformStridedOutput(Arithmetic a, int64_t m, ArrayRef<Value> p) {
  if (m == 2)
    return {a.add(a.add(p[0], p[1]), p[3]), a.add(a.sub(p[1], p[2]), p[4])};
  Value even = a.add(p[1], p[2]), odd = a.sub(p[1], p[2]);
  return {a.add(a.add(a.add(p[0], even), p[3]), p[5]), a.add(a.addScaled(2, p[3], odd), p[6]),
          a.add(a.addScaled(4, p[3], even), p[7]), a.add(a.add(a.addScaled(8, p[3], odd), p[4]), p[8])};
}

/// `line` on each column of `tile`, then on each row of what that gives.
static Values bothWays(int64_t size, TileOf tile, llvm::function_ref<Values(ArrayRef<Value>)> line) {
  SmallVector<Values> columns;
  for (int64_t column = 0; column < size; ++column) {
    Values values;
    for (int64_t row = 0; row < size; ++row)
      values.push_back(tile(row, column));
    columns.push_back(line(values));
  }
  Values result;
  for (size_t row = 0; row < columns.front().size(); ++row)
    result.append(line(llvm::map_to_vector(columns, [&](const Values &column) { return column[row]; })));
  return result;
}

Values coat::transformInput(VectorBuilder &v, WinogradTile sizes, TileOf d) {
  auto transform = sizes.stride == 1 ? transformDenseInput : transformStridedInput;
  return bothWays(sizes.extent(), d, [&](ArrayRef<Value> line) { return transform({v}, sizes.outputs, line); });
}

Values coat::transformOutput(VectorBuilder &v, WinogradTile sizes, TileOf p) {
  auto transform = sizes.stride == 1 ? transformDenseOutput : transformStridedOutput;
  return bothWays(sizes.extent(), p, [&](ArrayRef<Value> line) { return transform({v}, sizes.outputs, line); });
}
