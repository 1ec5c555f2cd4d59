// Emitter of kernels whose elements share long reductions (softmax, norms), or are few and long reductions themselves
// (means over an image, products with one row): a team of threads computes a row.
//
//   %m = max over j of x[i, j]                  row i = team; m = max over every 32nd j; join m by shuffles
//   %s = sum over j of exp(x[i, j] - m[i])  ->  s = sum .., joined
//   %r = exp(x[i, j] - m[i]) / s[i]             for every 32nd j: o[i, j] = exp(x[i, j] - m) / s
//
// A row is what the open dimensions leave: those of the result that no shared reduction depends on. Where they, or what
// is reduced, lie together in memory, the members of a team are the lanes of a warp (or of all warps, for long rows);
// else each lane has a row of its own and the warps share the work on it. With -ffp-model=strict a team is one thread,
// which adds up in order.
//
// Does not apply when no reduction is long enough to share, or when there are rows for all threads of the GPU anyway.
#include "Elements.h"
#include "KernelFunction.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;
using namespace coat;

namespace {
/// A kernel seen as rows.
struct Rows {
  Value tensor, place;
  llvm::SmallBitVector open; // dimensions of the result
  int64_t reduced = 0;       // elements of the longest shared reduction
  bool together = false;     // what a team works on lies together in memory
};

/// The reductions that elements of `tensor` are made from, with the dimensions of the kernel's result that each depends
/// on. `of[d]` are those that dimension d of `tensor` depends on.
class FindReductions {
public:
  struct Found {
    linalg::GenericOp op;
    llvm::SmallBitVector depends;
    int64_t size;
  };

  void visit(Value tensor, ArrayRef<llvm::SmallBitVector> of, unsigned rank) {
    auto op = tensor.getDefiningOp<linalg::GenericOp>();
    if (!op)
      return;
    SmallVector<llvm::SmallBitVector> dims(op.getNumLoops(), llvm::SmallBitVector(rank));
    AffineMap map = op.getIndexingMapMatchingResult(cast<OpResult>(tensor));
    for (auto [expr, depends] : llvm::zip_equal(map.getResults(), of))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        dims[dim.getPosition()] = depends;
    if (op.getNumReductionLoops()) {
      llvm::SmallBitVector all(rank);
      int64_t size = 1;
      for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray()))
        if (kind == utils::IteratorType::reduction)
          size *= op.getStaticLoopRanges()[i];
        else
          all |= dims[i];
      found.push_back({op, all, size});
    }
    for (OpOperand *operand : op.getDpsInputOperands()) {
      SmallVector<llvm::SmallBitVector> own;
      for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
        own.emplace_back(rank);
        for (auto [i, depends] : llvm::enumerate(dims))
          if (expr.isFunctionOfDim(i))
            own.back() |= depends;
      }
      visit(operand->get(), own, rank);
    }
  }

  SmallVector<Found> found;
};

/// Whether the last dimension of what `op` reads first is one that it reduces.
bool reducesLastDimension(linalg::GenericOp op) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (map.getNumResults() == 0 || operand->get().getDefiningOp<tensor::EmptyOp>())
      continue;
    for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      if (kind == utils::IteratorType::reduction && map.getResults().back().isFunctionOfDim(i))
        return true;
    return false;
  }
  return false;
}

FailureOr<Rows> findRows(func::FuncOp kernel, const GpuTarget &target) {
  Rows rows;
  for (Operation &op : kernel.getBody().front()) {
    if (auto store = dyn_cast<bufferization::MaterializeInDestinationOp>(op)) {
      if (rows.tensor)
        return failure();
      rows.tensor = store.getSource();
      rows.place = store.getDest();
    } else if (isa<OnceOp>(op)) {
      return failure();
    }
  }
  auto type = rows.tensor ? cast<MemRefType>(rows.place.getType()) : MemRefType();
  if (!type || type.getNumElements() == 0)
    return failure();
  unsigned rank = type.getRank();
  SmallVector<llvm::SmallBitVector> own(rank, llvm::SmallBitVector(rank));
  for (unsigned dim = 0; dim < rank; ++dim)
    own[dim].set(dim);
  FindReductions reductions;
  reductions.visit(rows.tensor, own, rank);
  // Shared is a reduction that does not depend on some dimension of more than one element. Where none is, each element
  // is a row.
  llvm::SmallBitVector trivial(rank), used(rank);
  for (unsigned dim = 0; dim < rank; ++dim)
    if (type.getDimSize(dim) == 1)
      trivial.set(dim);
  auto isShared = [&](const FindReductions::Found &found) { return !(found.depends | trivial).all(); };
  bool shares = llvm::any_of(reductions.found, isShared);
  linalg::GenericOp longest;
  for (const FindReductions::Found &found : reductions.found) {
    if (combinersOf(found.op).empty() || isShared(found) != shares)
      continue;
    used |= found.depends;
    if (found.size > rows.reduced) {
      rows.reduced = found.size;
      longest = found.op;
    }
  }
  int64_t count = type.getNumElements();
  rows.open = used;
  rows.open.flip();
  if (!shares)
    rows.open.reset();
  // A reduction an element pays when there are few of them.
  if (!longest || rows.reduced < (shares ? 8 : 64) || (!shares && count >= target.processors * 512))
    return failure();
  rows.together = reducesLastDimension(longest);
  return rows;
}

TeamShape chooseTeam(const Rows &rows, int64_t rowCount, bool strict) {
  TeamShape shape;
  shape.alongLanes = rows.together || strict;
  if (strict) {
    shape.members = 1;
    shape.threads = 32;
    return shape;
  }
  if (!rows.together) {
    // 32 rows a block; as many warps as have work.
    shape.members = rows.reduced >= 256 ? 16 : rows.reduced >= 64 ? 8 : 4;
    shape.threads = 32 * shape.members;
    return shape;
  }
  if (rows.reduced > 2048 || (rows.reduced > 512 && rowCount < 512))
    shape.members = shape.threads = 256;
  else
    shape.members = rows.reduced > 16 ? 32 : rows.reduced > 8 ? 16 : 8;
  return shape;
}

class Emitter {
public:
  Emitter(const Rows &rows, TeamShape shape, bool strict, func::FuncOp kernel, KernelFunction &function)
      : rows(rows), strict(strict), b(function.builder), loc(kernel.getLoc()), g(b, loc), team(g, shape),
        elements(b, loc) {
    for (auto [memref, pointer] : llvm::zip_equal(kernel.getArguments(), function.pointers()))
      elements.setPointer(memref, pointer);
  }

  /// `count` rows; false where an element could not be written.
  bool emit(int64_t count) {
    Indices &idx = elements.indices();
    auto type = cast<MemRefType>(rows.place.getType());
    // Threads beyond the last row compute it once more: all of a block meet.
    int64_t teams = team.shape.teams();
    Value row = g.add(g.mul(g.block, teams), team.team);
    bool ragged = count % teams != 0;
    Value inside = ragged ? g.less(row, count) : Value();
    if (ragged)
      row = g.select(inside, row, g.i32(count - 1));
    SmallVector<int64_t> rowSizes, openSizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      (rows.open.test(dim) ? openSizes : rowSizes).push_back(type.getDimSize(dim));
    Position fixed = idx.delinear(idx.unknown(row), rowSizes);
    if (!strict) // else each thread adds up its row from one end to the other
      elements.setTeam(&team);
    SmallVector<std::optional<Index>> at;
    size_t next = 0;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      at.push_back(rows.open.test(dim) ? std::nullopt : std::optional(fixed[next++]));
    elements.computeAhead(rows.tensor, at);
    auto storeAt = [&](ArrayRef<Position> opens) {
      SmallVector<Position> positions;
      for (const Position &open : opens) {
        positions.emplace_back();
        size_t nextOpen = 0;
        for (auto &index : at)
          positions.back().push_back(index ? *index : open[nextOpen++]);
      }
      SmallVector<Value> values = elements.get(rows.tensor, positions);
      good &= !llvm::is_contained(values, Value()) && succeeded(elements.store(values, rows.place, positions));
    };
    int64_t open = ShapedType::getNumElements(openSizes), members = team.shape.members;
    if (open == 1) {
      Value writes = g.both(inside, g.equal(team.member, 0));
      g.when(writes, [&] {
        Elements::Scope scope(elements);
        storeAt({Position(openSizes.size(), Index(0))});
      });
      return good;
    }
    int64_t width = widthOf(type, openSizes.back(), open);
    g.when(inside, [&] {
      Elements::Scope outer(elements);
      auto loop = scf::ForOp::create(b, loc, g.mul(team.member, width), g.i32(open), g.i32(members * width));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Elements::Scope scope(elements);
      Index first = idx.unknown(loop.getInductionVar(), width);
      SmallVector<Position> opens;
      for (int64_t i = 0; i < width; ++i)
        opens.push_back(idx.delinear(idx.add(first, i), openSizes));
      storeAt(opens);
    });
    return good;
  }

private:
  /// How many neighbours a member stores at a time.
  int64_t widthOf(MemRefType type, int64_t last, int64_t open) const {
    if (!rows.open.test(type.getRank() - 1))
      return 1;
    int64_t most = std::min<int64_t>(16 / std::max<int64_t>(type.getElementTypeBitWidth() / 8, 1), 8);
    for (int64_t width = most; width > 1; width /= 2)
      if (last % width == 0 && open >= team.shape.members * width)
        return width;
    return 1;
  }

  const Rows &rows;
  bool strict;
  OpBuilder &b;
  Location loc;
  GpuBuilder g;
  Team team;
  Elements elements;
  bool good = true;
};
} // namespace

FailureOr<GpuKernel> coat::emitRows(func::FuncOp kernel, const GpuTarget &target, const GpuOptions &options,
                                    gpu::GPUModuleOp into) {
  FailureOr<Rows> rows = findRows(kernel, target);
  if (failed(rows))
    return failure();
  int64_t count = 1;
  auto type = cast<MemRefType>(rows->place.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!rows->open.test(dim))
      count *= type.getDimSize(dim);
  TeamShape shape = chooseTeam(*rows, count, options.strict);
  KernelFunction function(kernel, into);
  if (!Emitter(*rows, shape, options.strict, kernel, function).emit(count))
    return function.giveUp();
  return function.finish(llvm::divideCeil(count, shape.teams()), shape.threads, shape.sharedBytes());
}
