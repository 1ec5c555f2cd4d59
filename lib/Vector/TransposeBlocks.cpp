// See TransposeBlocks.h. Element by element, a transpose touches a cache line (and, in a large tensor, a page) for each
// element that it reads; by squares every line that is touched gives or takes a vector.
//
//   linalg.generic out[.., r, .., c] = in[.., c, .., r]    ->    for .., r by 8, c by 8: load 8 rows of in, transpose,
//   store 8 rows of out
// The last square of a row moves back over the one before it.
#include "TransposeBlocks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

namespace {
/// Rows of a square become its columns: each step interleaves the two halves, log2(rows) of them put every element in
/// place.
SmallVector<Value> transposed(OpBuilder &b, Location loc, SmallVector<Value> rows) {
  int64_t count = rows.size();
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < count / 2; ++i) {
    low.append({i, count + i});
    high.append({count / 2 + i, count + count / 2 + i});
  }
  for (int64_t step = 1; step < count; step *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < count / 2; ++i)
      for (ArrayRef<int64_t> half : {ArrayRef(low), ArrayRef(high)})
        next.push_back(vector::ShuffleOp::create(b, loc, rows[i], rows[i + count / 2], half));
    rows = std::move(next);
  }
  return rows;
}

bool hasDenseRows(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getElementType().isIntOrFloat() && type.getElementTypeBitWidth() == 32 && type.getRank() > 1 &&
         succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

/// The loops of a transpose: `to` runs along rows of the output, `from` along rows of the input.
struct Transpose {
  Value input, output;
  AffineMap map; // of the input
  SmallVector<int64_t> extents;
  unsigned from, to;
};

std::optional<Transpose> matchTranspose(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops())
    return std::nullopt;
  Operation *yield = op.getBlock()->getTerminator();
  bool moves = &op.getBlock()->front() == yield && yield->getOperand(0) == op.getBlock()->getArgument(0);
  Transpose t{op.getDpsInputs()[0], op.getDpsInits()[0], op.getIndexingMapsArray()[0], op.getStaticLoopRanges(), 0, 0};
  if (!moves || !op.getIndexingMapsArray()[1].isIdentity() || !t.map.isPermutation() ||
      !isa<MemRefType>(t.input.getType()) || !hasDenseRows(t.input) || !hasDenseRows(t.output))
    return std::nullopt;
  t.to = op.getNumLoops() - 1;
  t.from = t.map.getDimPosition(t.to);
  return t;
}

class BlockEmitter {
public:
  BlockEmitter(OpBuilder &b, Location loc, const Transpose &t, int64_t lanes, ValueRange extents)
      : b(b), loc(loc), t(t), lanes(lanes), extents(extents), point(t.extents.size()) {
    for (unsigned loop = 0; loop < t.extents.size(); ++loop)
      if (loop != t.from && loop != t.to)
        order.push_back(loop);
    order.append({t.from, t.to});
  }

  void overLoops(size_t depth = 0) {
    if (depth == order.size())
      return square();
    unsigned loop = order[depth];
    int64_t step = loop == t.from || loop == t.to ? lanes : 1;
    Value zero = constant(0);
    if (t.extents[loop] == step) {
      point[loop] = zero;
      return overLoops(depth + 1);
    }
    auto made = scf::ForOp::create(b, loc, zero, extents[loop], constant(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(made.getBody());
    point[loop] = made.getInductionVar();
    if (step > 1 && t.extents[loop] % step)
      point[loop] = arith::MinSIOp::create(b, loc, point[loop], constant(t.extents[loop] - step));
    overLoops(depth + 1);
  }

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  /// The current point, `by` further along `loop`.
  SmallVector<Value> shifted(unsigned loop, int64_t by) {
    SmallVector<Value> at = point;
    if (by)
      at[loop] = arith::AddIOp::create(b, loc, at[loop], constant(by));
    return at;
  }

  void square() {
    auto type = VectorType::get(lanes, cast<MemRefType>(t.input.getType()).getElementType());
    SmallVector<Value> rows;
    for (int64_t i = 0; i < lanes; ++i) {
      SmallVector<Value> at = shifted(t.to, i), indices;
      for (unsigned dim = 0; dim < at.size(); ++dim)
        indices.push_back(at[t.map.getDimPosition(dim)]);
      rows.push_back(vector::LoadOp::create(b, loc, type, t.input, indices));
    }
    for (auto [i, row] : llvm::enumerate(transposed(b, loc, std::move(rows))))
      vector::StoreOp::create(b, loc, row, t.output, shifted(t.from, i));
  }

  OpBuilder &b;
  Location loc;
  const Transpose &t;
  int64_t lanes;
  ValueRange extents;
  SmallVector<Value> point; // the current index of every loop
  SmallVector<unsigned> order;
};
} // namespace

bool coat::emitTransposeInBlocks(OpBuilder &builder, linalg::LinalgOp op, int64_t lanes) {
  std::optional<Transpose> t = matchTranspose(op);
  auto isLong = [&](int64_t extent) { return !ShapedType::isDynamic(extent) && extent >= lanes; };
  if (lanes < 4 || !t || t->from == t->to || !isLong(t->extents[t->from]) || !isLong(t->extents[t->to]))
    return false;
  SmallVector<Value> extents;
  for (Range range : op.createLoopRanges(builder, op.getLoc()))
    extents.push_back(getValueOrCreateConstantIndexOp(builder, op.getLoc(), range.size));
  BlockEmitter(builder, op.getLoc(), *t, lanes, extents).overLoops();
  return true;
}
