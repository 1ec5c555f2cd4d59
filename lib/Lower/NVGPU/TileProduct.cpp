// See TileProduct.h.
#include "TileProduct.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

TileProduct::TileProduct(GpuBuilder &g, const BlockTile &block, OperandTile left, OperandTile right)
    : g(g), block(block), left(left), right(right) {
  Value warp = g.warp;
  firstColumn = g.mul(g.rem(warp, block.warpsN()), block.warpN);
  warp = g.div(warp, block.warpsN());
  bool isSliced = block.slices > 1;
  firstRow = g.mul(isSliced ? g.rem(warp, block.warpsM()) : warp, block.warpM);
  sliceIndex = isSliced ? g.div(warp, block.warpsM()) : g.i32(0);
  firstInner = g.mul(sliceIndex, block.k / block.slices);
}

Value TileProduct::at(const SharedTile &tile, Value start, Value row, int64_t constant, Value chunk) {
  // The constant stands last, so that it becomes the offset of the instruction.
  Value place = g.sharedAt(g.add(start, tile.placeOf(g, row, chunk)));
  return constant ? g.step(place, g.i32(constant * tile.rowBytes()), g.b.getI8Type()) : place;
}

//===----------------------------------------------------------------------===//
// Warp matrices
//===----------------------------------------------------------------------===//

namespace {
class MatrixProduct : public TileProduct {
public:
  MatrixProduct(GpuBuilder &g, Type type, const BlockTile &block, OperandTile left, OperandTile right)
      : TileProduct(g, block, left, right), type(type), inner(type.isF32() ? 8 : 16) {
    eight = g.rem(g.lane, 8);
    second = g.rem(g.div(g.lane, 8), 2);
    fourth = g.div(g.lane, 16);
  }

  int64_t sums() const override { return tilesM() * tilesN() * 4; }

  Values accumulate(Values sums, Value leftStart, Value rightStart) override {
    for (int64_t k = 0; k < block.k / block.slices; k += inner) {
      SmallVector<Values> rows, columns;
      for (int64_t i = 0; i < tilesM(); ++i)
        rows.push_back(leftFragment(leftStart, 16 * i, k));
      for (int64_t j = 0; j < tilesN(); j += 2) {
        Values both = rightFragments(rightStart, 8 * j, k);
        columns.push_back({both[0], both[1]});
        columns.push_back({both[2], both[3]});
      }
      for (int64_t i = 0; i < tilesM(); ++i)
        for (int64_t j = 0; j < tilesN(); ++j) {
          auto tile = MutableArrayRef<Value>(sums).slice((i * tilesN() + j) * 4, 4);
          llvm::copy(g.multiply(rows[i], columns[j], tile, type), tile.begin());
        }
    }
    return sums;
  }

  // A fragment of 16 x 8 sums: lane l has (l / 4, 2 (l % 4)) and its right neighbour, and both eight rows below.
  SmallVector<SumRow> rows() override {
    SmallVector<SumRow> rows;
    Value row = g.add(firstRow, g.div(g.lane, 4)), column = g.add(firstColumn, g.mul(g.rem(g.lane, 4), 2));
    for (int64_t i = 0; i < tilesM(); ++i)
      for (int64_t half = 0; half < 2; ++half) {
        rows.push_back({g.add(row, 16 * i + 8 * half), {}});
        for (int64_t j = 0; j < tilesN(); ++j) {
          int64_t first = (i * tilesN() + j) * 4 + 2 * half;
          rows.back().runs.push_back({g.add(column, 8 * j), {first, first + 1}});
        }
      }
    return rows;
  }

private:
  int64_t tilesM() const { return block.warpM / 16; }
  int64_t tilesN() const { return block.warpN / 8; }

  /// Rows `m` .. + 16 of the warp's left operand, at its k.
  Values leftFragment(Value start, int64_t m, int64_t k) {
    const SharedTile &tile = left.tile;
    Value chunk, row;
    if (left.innerIsDense) { // lanes 0 to 15 address the rows of one chunk, the others those of the next
      row = g.add(firstRow, g.rem(g.lane, 16));
      chunk = g.add(g.add(g.div(firstInner, tile.perChunk()), k / tile.perChunk()), fourth);
      return rounded(g.loadMatrices(at(tile, start, row, m, chunk), 4, false));
    }
    if (type.isF32())
      return scalars(tile, start, g.add(firstRow, m), k, /*isLeft=*/true);
    row = g.add(g.add(firstInner, eight), g.mul(fourth, 8));
    chunk = g.add(g.add(g.div(firstRow, tile.perChunk()), m / tile.perChunk()), second);
    return g.loadMatrices(at(tile, start, row, k, chunk), 4, true);
  }

  /// Columns `n` .. + 16 of the warp's right operand: two fragments of two words.
  Values rightFragments(Value start, int64_t n, int64_t k) {
    const SharedTile &tile = right.tile;
    if (right.innerIsDense) {
      Value row = g.add(g.add(firstColumn, eight), g.mul(fourth, 8));
      Value chunk = g.add(g.add(g.div(firstInner, tile.perChunk()), k / tile.perChunk()), second);
      return rounded(g.loadMatrices(at(tile, start, row, n, chunk), 4, false));
    }
    if (type.isF32()) {
      Values low = scalars(tile, start, g.add(firstColumn, n), k, /*isLeft=*/false);
      Values high = scalars(tile, start, g.add(firstColumn, n + 8), k, /*isLeft=*/false);
      return {low[0], low[1], high[0], high[1]};
    }
    Value row = g.add(firstInner, g.rem(g.lane, 16));
    Value chunk = g.add(g.add(g.div(firstColumn, tile.perChunk()), n / tile.perChunk()), fourth);
    return g.loadMatrices(at(tile, start, row, k, chunk), 4, true);
  }

  /// A fragment of tf32 that lies across: ldmatrix transposes only elements of 16 bits.
  Values scalars(const SharedTile &tile, Value start, Value first, int64_t k, bool isLeft) {
    Values words;
    for (int64_t part = 0; part < (isLeft ? 4 : 2); ++part) {
      int64_t below = isLeft ? 8 * (part % 2) : 0, behind = isLeft ? 4 * (part / 2) : 4 * part;
      Value along = g.add(g.add(first, g.div(g.lane, 4)), below);
      Value row = g.add(g.add(firstInner, g.rem(g.lane, 4)), behind);
      Value place = at(tile, start, row, k, g.div(along, 4));
      words.push_back(g.toTf32(g.load(g.b.getI32Type(), g.step(place, g.rem(along, 4), g.b.getI32Type()), 4)));
    }
    return words;
  }

  Values rounded(Values words) {
    if (type.isF32())
      for (Value &word : words)
        word = g.toTf32(word);
    return words;
  }

  Type type;
  int64_t inner; // k of one instruction
  Value eight, second, fourth;
};

//===----------------------------------------------------------------------===//
// Multiply-adds
//===----------------------------------------------------------------------===//

// Lanes are 4 rows of 8. An operand dense along k is read four k at a time, and a lane's rows are interleaved with
// those of other lanes, so that they lie in different banks; one dense along m is read four m at a time.
class ScalarProduct : public TileProduct {
public:
  ScalarProduct(GpuBuilder &g, const BlockTile &block, OperandTile left, OperandTile right)
      : TileProduct(g, block, left, right), laneRow(g.div(g.lane, 8)), laneColumn(g.rem(g.lane, 8)) {}

  int64_t sums() const override { return perLane(true) * perLane(false); }

  Values accumulate(Values sums, Value leftStart, Value rightStart) override {
    for (int64_t k = 0; k < block.k / block.slices; k += 4) {
      SmallVector<Values> a = fragments(leftStart, k, true), b = fragments(rightStart, k, false);
      for (int64_t step = 0; step < 4; ++step)
        for (size_t i = 0; i < a.size(); ++i)
          for (size_t j = 0; j < b.size(); ++j) {
            Value &sum = sums[i * b.size() + j];
            sum = math::FmaOp::create(g.b, g.loc, a[i][step], b[j][step], sum);
          }
    }
    return sums;
  }

  SmallVector<SumRow> rows() override {
    SmallVector<SumRow> rows;
    int64_t columns = perLane(false), length = right.innerIsDense ? 1 : 4;
    for (int64_t i = 0; i < perLane(true); ++i) {
      rows.push_back({indexOf(i, true), {}});
      for (int64_t j = 0; j < columns; j += length) {
        rows.back().runs.push_back({indexOf(j, false), {}});
        for (int64_t next = 0; next < length; ++next)
          rows.back().runs.back().sums.push_back(i * columns + j + next);
      }
    }
    return rows;
  }

private:
  int64_t lanes(bool isLeft) const { return isLeft ? 4 : 8; }
  int64_t perLane(bool isLeft) const { return (isLeft ? block.warpM : block.warpN) / lanes(isLeft); }

  /// Row (or column) number `i` of the lane in the block's tile, less `without`.
  Value indexOf(int64_t i, bool isLeft, int64_t without = 0) {
    Value lane = isLeft ? laneRow : laneColumn, first = isLeft ? firstRow : firstColumn;
    if ((isLeft ? left : right).innerIsDense)
      return g.add(g.add(first, lane), i * lanes(isLeft) - without);
    return g.add(g.add(first, g.mul(lane, 4)), i / 4 * 4 * lanes(isLeft) + i % 4);
  }

  /// Four steps along k of each of the lane's rows (columns).
  SmallVector<Values> fragments(Value start, int64_t k, bool isLeft) {
    const OperandTile &operand = isLeft ? left : right;
    int64_t count = perLane(isLeft);
    SmallVector<Values> result(count, Values(4));
    auto four = [&](Value place) { return g.load(VectorType::get(4, g.b.getF32Type()), place, 16); };
    auto element = [&](Value vector, int64_t i) -> Value { return vector::ExtractOp::create(g.b, g.loc, vector, i); };
    if (operand.innerIsDense) {
      Value chunk = g.div(g.add(firstInner, k), 4);
      for (int64_t i = 0; i < count; ++i) {
        int64_t constant = i * lanes(isLeft) / 8 * 8;
        Value vector = four(at(operand.tile, start, indexOf(i, isLeft, constant), constant, chunk));
        for (int64_t step = 0; step < 4; ++step)
          result[i][step] = element(vector, step);
      }
      return result;
    }
    for (int64_t step = 0; step < 4; ++step)
      for (int64_t i = 0; i < count; i += 4) {
        int64_t constant = (k + step) / 8 * 8;
        Value row = g.add(firstInner, k + step - constant);
        Value vector = four(at(operand.tile, start, row, constant, g.div(indexOf(i, isLeft), 4)));
        for (int64_t next = 0; next < 4; ++next)
          result[i + next][step] = element(vector, next);
      }
    return result;
  }

  Value laneRow, laneColumn;
};
} // namespace

std::unique_ptr<TileProduct> coat::createTileProduct(GpuBuilder &g, Type type, bool tf32, const BlockTile &block,
                                                     OperandTile left, OperandTile right) {
  if (type.isF32() && !tf32)
    return std::make_unique<ScalarProduct>(g, block, left, right);
  return std::make_unique<MatrixProduct>(g, type, block, left, right);
}
