// See WinogradTransforms.h. The matrices are those of Toom and Cook's interpolation (Lavin and Gray, arXiv:1509.09308):
// n products for n inputs d, at the first n - 1 of the points 0, 1, -1, 2, -2, 1/2 and at infinity, in this order. A
// row of B^T is the product of (x - q) over all other points q, as coefficients of d; a column of A^T the powers of its
// point. Pairs of points p and -p share an even and an odd sum.
//
// With stride 2 the even inputs meet the first and the last tap, as F(m, 2) computes it, and the odd ones the middle
// tap, one product each.
#include "WinogradTransforms.h"
#include <cmath>

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

/// B^T d of n = 3:        n = 4:            n = 5:                n = 6:
///   -1  1  0              -1  0  1  0       2 -1 -2  1  0         4  0 -5  0  1  0
///    0  1  0               0  1  1  0       0 -2 -1  1  0         0 -4 -4  1  1  0
///    0 -1  1               0 -1  1  0       0  2 -3  1  0         0  4 -4 -1  1  0
///                          0 -1  0  1       0 -1  0  1  0         0 -2 -1  2  1  0
///                                           0  2 -1 -2  1         0  2 -1 -2  1  0
///                                                                 0  4  0 -5  0  1
/// n = 7 is n = 6 of d[i + 1] - d[i] / 2, and before the last row 0 4 0 -5 0 1 0 for the point 1/2.
static Values transformInputLine(Arithmetic a, ArrayRef<Value> d) {
  switch (d.size()) {
  case 3:
    return {a.sub(d[1], d[0]), d[1], a.sub(d[2], d[1])};
  case 4:
    return {a.sub(d[2], d[0]), a.add(d[1], d[2]), a.sub(d[2], d[1]), a.sub(d[3], d[1])};
  case 5: {
    Value odd = a.sub(d[3], d[1]);
    return {a.addScaled(2, a.sub(d[0], d[2]), odd), a.sub(odd, a.add(d[1], d[2])),
            a.addScaled(3, a.sub(d[1], d[2]), odd), odd, a.addScaled(-2, odd, a.sub(d[4], d[2]))};
  }
  case 6: {
    Value even1 = a.addScaled(-4, d[2], d[4]), odd1 = a.addScaled(-4, d[1], d[3]);
    Value even2 = a.sub(d[4], d[2]), halfOdd2 = a.sub(d[3], d[1]);
    return {a.addScaled(4, d[0], a.addScaled(-5, d[2], d[4])),
            a.add(even1, odd1),
            a.sub(even1, odd1),
            a.addScaled(2, halfOdd2, even2),
            a.addScaled(-2, halfOdd2, even2),
            a.addScaled(4, d[1], a.addScaled(-5, d[3], d[5]))};
  }
  }
  assert(d.size() == 7 && "no other sizes are known");
  Values differences;
  for (size_t i = 0; i + 1 < d.size(); ++i)
    differences.push_back(a.addScaled(-.5, d[i], d[i + 1]));
  Values result = transformInputLine(a, differences);
  result.insert(result.end() - 1, a.addScaled(4, d[1], a.addScaled(-5, d[3], d[5])));
  return result;
}

/// A^T p: m outputs of n products.
static Values transformOutputLine(Arithmetic a, int64_t m, ArrayRef<Value> p) {
  size_t finite = p.size() - 1;
  SmallVector<Value> even, odd; // of pairs
  for (size_t i = 1; i + 1 < finite; i += 2) {
    even.push_back(a.add(p[i], p[i + 1]));
    odd.push_back(a.sub(p[i], p[i + 1]));
  }
  Values result;
  for (int64_t i = 0; i < m; ++i) {
    Value sum = i == 0 ? p[0] : Value();
    auto add = [&](double factor, Value value) {
      sum = !sum ? value : factor == 1 ? a.add(sum, value) : a.addScaled(factor, value, sum);
    };
    for (auto [pair, value] : llvm::enumerate(i % 2 ? odd : even))
      add(std::pow(WinogradTile::points[1 + 2 * pair], i), value);
    if (finite % 2 == 0) // the last point has no partner
      add(std::pow(WinogradTile::points[finite - 1], i), p[finite - 1]);
    if (i == m - 1)
      add(1, p.back());
    result.push_back(sum);
  }
  return result;
}

/// The inputs of stride 2: even ones, transformed, then the odd ones.
static Values transformStridedInputLine(Arithmetic a, ArrayRef<Value> d) {
  Values even, odd;
  for (auto [i, value] : llvm::enumerate(d))
    (i % 2 ? odd : even).push_back(value);
  Values result = transformInputLine(a, even);
  result.append(odd);
  return result;
}

static Values transformStridedOutputLine(Arithmetic a, int64_t m, ArrayRef<Value> p) {
  Values result = transformOutputLine(a, m, p.drop_back(m));
  for (auto [sum, odd] : llvm::zip_equal(result, p.take_back(m)))
    sum = a.add(sum, odd);
  return result;
}

using LineOf = llvm::function_ref<Values(ArrayRef<Value>)>;

/// A tile of such lines stays in registers; one of longer lines is computed line by line, by way of memory. Straight
/// code would spill as much and is no faster, but takes the analyses of bufferization a time that grows with the square
/// of the writes (1.2 s for the 81 of F(4, 3) of stride 2, in loops 0.02 s). F(2, 3) is 2 % faster in straight code.
static constexpr int64_t longestStraightLine = 4;

/// `line` on each column of the tile, then `second` on the first `rows` rows of what that gives, of which the first
/// `columns` results are stored.
static Value bothWays(VectorBuilder &v, int64_t extent, int64_t rows, int64_t columns, const TileAccess &access,
                      LineOf line, LineOf second, Value tensor) {
  auto loadColumn = [&](Value column) {
    Values values;
    for (int64_t row = 0; row < extent; ++row)
      values.push_back(access.load(v.index(row), column));
    return line(values);
  };
  auto storeRow = [&](Value row, ArrayRef<Value> values, Value into) {
    Values results = second(values);
    for (int64_t column = 0; column < columns; ++column)
      into = access.store(results[column], row, column, into);
    return into;
  };
  if (extent <= longestStraightLine) {
    SmallVector<Values> lines;
    for (int64_t column = 0; column < extent; ++column)
      lines.push_back(loadColumn(v.index(column)));
    for (int64_t row = 0; row < rows; ++row)
      tensor = storeRow(v.index(row), llvm::map_to_vector(lines, [&](const Values &l) { return l[row]; }), tensor);
    return tensor;
  }
  auto number = [&](int64_t value) -> OpFoldResult { return v.builder.getIndexAttr(value); };
  Value scratch = tensor::EmptyOp::create(v.builder, v.loc, {rows, extent, v.lanes}, v.builder.getF32Type());
  scratch = v.loopOver(number(0), number(extent), 1, scratch, [&](Value column, Value into) {
    Values results = loadColumn(column);
    for (int64_t row = 0; row < rows; ++row)
      into = v.store(results[row], into, {v.index(row), column, v.index(0)});
    return into;
  });
  return v.loopOver(number(0), number(rows), 1, tensor, [&](Value row, Value into) {
    Values values;
    for (int64_t column = 0; column < extent; ++column)
      values.push_back(v.load(scratch, {row, v.index(column), v.index(0)}));
    return storeRow(row, values, into);
  });
}

Value coat::transformInput(VectorBuilder &v, const WinogradTile &sizes, const TileAccess &access, Value tensor) {
  int64_t extent = sizes.extent();
  auto line = [&](ArrayRef<Value> d) {
    return sizes.foldedStride() == 1 ? transformInputLine({v}, d) : transformStridedInputLine({v}, d);
  };
  return bothWays(v, extent, extent, extent, access, line, line, tensor);
}

Value coat::transformOutput(VectorBuilder &v, const WinogradTile &sizes, int64_t rows, int64_t columns, Value bias,
                            const TileAccess &access, Value tensor) {
  auto line = [&](ArrayRef<Value> p) {
    return sizes.foldedStride() == 1 ? transformOutputLine({v}, sizes.outputs, p)
                                     : transformStridedOutputLine({v}, sizes.outputs, p);
  };
  // Each output of a line has the product at point 1 once: the bias need not be added to each.
  auto biasedLine = [&](ArrayRef<Value> p) {
    Values products(p);
    if (bias)
      products[1] = Arithmetic{v}.add(products[1], bias);
    return line(products);
  };
  return bothWays(v, sizes.extent(), rows, columns, access, line, biasedLine, tensor);
}
