// Elements of linalg.generic: its body, inlined at each position; reductions as loops that carry one sum a position.
#include "Elements.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;

/// One position at which a body is written: what its values are, and the indices among them as expressions.
struct Elements::Lane {
  IRMapping values;
  DenseMap<Value, Index> indices;

  Index indexOf(Value value, Elements &elements);
};

/// An index of the body; one that no expression is known of is a number that cannot be seen through.
Index Elements::Lane::indexOf(Value value, Elements &elements) {
  if (auto found = indices.find(value); found != indices.end())
    return found->second;
  IntegerAttr constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant.getInt();
  Value known = values.lookupOrNull(value);
  if (!known)
    known = elements.scalar(value);
  Value narrow = arith::IndexCastOp::create(elements.b, elements.loc, elements.b.getI32Type(), known);
  Index result = elements.idx.unknown(narrow, 1, /*mayBeNegative=*/true);
  indices[value] = result;
  return result;
}

/// Index arithmetic of a body as an expression. False for what has none: that is written as it stands.
static bool foldIndex(Operation *op, Indices &idx, DenseMap<Value, Index> &known, ArrayRef<Index> dims) {
  auto get = [&](Value value) -> std::optional<Index> {
    IntegerAttr constant;
    if (matchPattern(value, m_Constant(&constant)))
      return Index(constant.getInt());
    auto found = known.find(value);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  };
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIndex())
    return false;
  std::optional<Index> result;
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    result = dims[index.getDim()];
  } else if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    Position operands;
    for (Value operand : apply.getMapOperands()) {
      std::optional<Index> own = get(operand);
      if (!own)
        return false;
      operands.push_back(*own);
    }
    AffineMap map = apply.getAffineMap();
    SmallVector<AffineExpr> symbols;
    for (unsigned i = 0; i < map.getNumSymbols(); ++i)
      symbols.push_back(getAffineDimExpr(map.getNumDims() + i, op->getContext()));
    result = idx.eval(map.getResult(0).replaceSymbols(symbols), operands);
  } else if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op)) {
    std::optional<Index> lhs = get(op->getOperand(0)), rhs = get(op->getOperand(1));
    if (!lhs || !rhs)
      return false;
    if (isa<arith::AddIOp>(op))
      result = idx.add(*lhs, *rhs);
    else if (isa<arith::SubIOp>(op))
      result = idx.add(*lhs, idx.mul(*rhs, -1));
    else if (rhs->isConstant())
      result = idx.mul(*lhs, rhs->offset);
    else if (lhs->isConstant())
      result = idx.mul(*rhs, lhs->offset);
  }
  if (!result)
    return false;
  known[op->getResult(0)] = *result;
  return true;
}

SmallVector<Elements::Values> Elements::body(linalg::GenericOp op, ArrayRef<Position> dims, ArrayRef<Values> outs) {
  SmallVector<Lane> lanes(dims.size());
  Block &block = op.getRegion().front();
  unsigned inputs = op.getNumDpsInputs();
  for (OpOperand *operand : op.getDpsInputOperands()) {
    BlockArgument argument = block.getArgument(operand->getOperandNumber());
    if (argument.use_empty())
      continue;
    AffineMap map = op.getMatchingIndexingMap(operand);
    SmallVector<Position> at = llvm::map_to_vector(dims, [&](const Position &position) {
      Position result;
      for (AffineExpr expr : map.getResults())
        result.push_back(idx.eval(expr, position));
      return result;
    });
    for (auto [lane, value] : llvm::zip_equal(lanes, get(operand->get(), at)))
      if (value)
        lane.values.map(argument, value);
  }
  for (auto [lane, own] : llvm::zip_equal(lanes, outs))
    for (auto [i, value] : llvm::enumerate(own))
      if (value)
        lane.values.map(block.getArgument(inputs + i), value);

  SmallVector<Values> results(dims.size());
  for (Operation &inner : block) {
    if (auto yield = dyn_cast<linalg::YieldOp>(inner)) {
      for (auto [lane, result] : llvm::zip_equal(lanes, results))
        for (Value value : yield.getOperands())
          result.push_back(value.getParentBlock() == &block ? lane.values.lookupOrNull(value) : scalar(value));
      break;
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
      SmallVector<Position> at;
      for (Lane &lane : lanes) {
        at.emplace_back();
        for (Value index : extract.getIndices())
          at.back().push_back(lane.indexOf(index, *this));
      }
      for (auto [lane, value] : llvm::zip_equal(lanes, get(extract.getTensor(), at)))
        if (value)
          lane.values.map(extract.getResult(), value);
      continue;
    }
    for (auto [lane, position] : llvm::zip_equal(lanes, dims)) {
      if (foldIndex(&inner, idx, lane.indices, position))
        continue;
      bool known = true;
      for (Value operand : inner.getOperands()) {
        if (lane.values.contains(operand))
          continue;
        if (auto found = lane.indices.find(operand); found != lane.indices.end())
          lane.values.map(operand, idx.asIndex(found->second));
        else if (operand.getParentBlock() != &block)
          lane.values.map(operand, scalar(operand));
        known &= lane.values.contains(operand) && lane.values.lookup(operand);
      }
      if (known)
        b.clone(inner, lane.values);
    }
  }
  return results;
}

Elements::Values Elements::generic(linalg::GenericOp op, unsigned result, Positions at) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  AffineMap map = op.getIndexingMapMatchingResult(op->getResult(result));
  if (llvm::any_of(ranges, ShapedType::isDynamic) || !map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return Values(at.size(), fail(op, "results in the order of loops, of static sizes"));
  SmallVector<Position> dims;
  for (const Position &position : at) {
    dims.emplace_back(ranges.size(), Index(0));
    for (auto [expr, index] : llvm::zip_equal(map.getResults(), position))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        dims.back()[dim.getPosition()] = index;
  }
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  // What the outputs start from, where it is looked at.
  SmallVector<Values> outs(at.size());
  for (auto [i, init] : llvm::enumerate(op.getDpsInits())) {
    Values start(at.size());
    if (op.getRegion().front().getArgument(op.getNumDpsInputs() + i).use_empty()) {
      if (!reductions.empty())
        start.assign(at.size(), arith::ConstantOp::create(b, loc, b.getZeroAttr(getElementTypeOrSelf(init))));
    } else {
      AffineMap own = op.getMatchingIndexingMap(op.getDpsInitOperand(i));
      start = get(init, llvm::map_to_vector(dims, [&](const Position &position) {
                    Position from;
                    for (AffineExpr expr : own.getResults())
                      from.push_back(idx.eval(expr, position));
                    return from;
                  }));
      if (llvm::is_contained(start, Value()))
        return Values(at.size());
    }
    for (auto [lane, value] : llvm::zip_equal(outs, start))
      lane.push_back(value);
  }
  SmallVector<Values> values;
  if (reductions.empty()) {
    values = body(op, dims, outs);
  } else {
    unsigned results = op->getNumResults();
    Values starts;
    for (Values &lane : outs)
      llvm::append_range(starts, lane);
    SmallVector<std::optional<Index>> open;
    for (const Position &position : dims) {
      open.assign(position.begin(), position.end());
      for (unsigned dim : reductions)
        open[dim] = std::nullopt;
      computeInputsAhead(op, open);
    }
    SmallVector<Operation *> combiners;
    if (team && scopes.size() == 1)
      combiners = combinersOf(op);
    Values ends = combiners.empty() ? reduce(op, dims, starts) : reduceTogether(op, combiners, dims, starts);
    values.resize(at.size());
    for (auto [i, value] : llvm::enumerate(ends))
      values[i / results].push_back(value);
  }
  Values chosen;
  for (auto [lane, position] : llvm::zip_equal(values, at)) {
    for (auto [i, value] : llvm::enumerate(lane))
      if (op.getIndexingMapMatchingResult(op->getResult(i)) == map)
        remember(op->getResult(i), position, value);
    chosen.push_back(lane[result]);
  }
  return chosen;
}

/// One loop nest for all positions.
Elements::Values Elements::reduce(linalg::GenericOp op, SmallVector<Position> dims, ValueRange starts) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  auto nest = [&](auto &self, unsigned depth, ValueRange carried) -> Values {
    if (depth == reductions.size())
      return step(op, dims, carried);
    unsigned dim = reductions[depth];
    if (ranges[dim] == 1) {
      for (Position &position : dims)
        position[dim] = 0;
      return self(self, depth + 1, carried);
    }
    auto loop = scf::ForOp::create(b, loc, number(0), number(ranges[dim]), number(1), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Scope scope(*this);
    for (Position &position : dims)
      position[dim] = idx.unknown(loop.getInductionVar());
    scf::YieldOp::create(b, loc, self(self, depth + 1, loop.getRegionIterArgs()));
    return Values(loop.getResults().begin(), loop.getResults().end());
  };
  return nest(nest, 0, starts);
}

/// The body once, on the sums so far.
Elements::Values Elements::step(linalg::GenericOp op, ArrayRef<Position> dims, ValueRange carried) {
  unsigned results = op->getNumResults();
  SmallVector<Values> current(dims.size());
  for (auto [i, value] : llvm::enumerate(carried))
    current[i / results].push_back(value);
  Values next;
  for (Values &lane : body(op, dims, current))
    llvm::append_range(next, lane);
  for (auto [value, before] : llvm::zip_equal(next, carried))
    if (!value)
      value = before; // reported
  return next;
}

Value Elements::number(int64_t value) { return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)); }

/// acc' = combiner(acc, x) with x computed without acc.
SmallVector<Operation *> coat::combinersOf(linalg::GenericOp op) {
  SmallVector<Operation *> combiners;
  Block &body = op.getRegion().front();
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    BlockArgument sum = body.getArgument(op.getNumDpsInputs() + i);
    Operation *combiner = value.getDefiningOp();
    if (!combiner || !Team::combines(value.getType()) || !sum.hasOneUse() || *sum.user_begin() != combiner ||
        combiner->getNumOperands() != 2 || !arith::getNeutralElement(combiner))
      return {};
    combiners.push_back(combiner);
  }
  return combiners;
}

/// The members of the team take every n-th element of all reduced ones; each starts from nothing, and the start comes
/// in at the end. Neighbouring elements go to one member where they can be loaded together.
Elements::Values Elements::reduceTogether(linalg::GenericOp op, ArrayRef<Operation *> combiners,
                                          SmallVector<Position> dims, ValueRange starts) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges(), own;
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  for (unsigned dim : reductions)
    own.push_back(ranges[dim]);
  int64_t total = ShapedType::getNumElements(own), members = team->shape.members, unroll = 1;
  for (int64_t wide : {4, 2})
    if (unroll == 1 && own.back() % wide == 0 && total >= members * wide && dims.size() == 1)
      unroll = wide;
  // Sums of their own for each of the unrolled elements: sums[(lane * unroll + part) * results + result].
  Values neutral;
  for (size_t i = 0, e = starts.size() * unroll; i < e; ++i) {
    std::optional<TypedAttr> zero = arith::getNeutralElement(combiners[i % combiners.size()]);
    neutral.push_back(arith::ConstantOp::create(b, loc, *zero));
  }
  Value first = team->member;
  if (unroll > 1)
    first = arith::MulIOp::create(b, loc, first, number(unroll));
  auto loop = scf::ForOp::create(b, loc, first, number(total), number(members * unroll), neutral);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Scope scope(*this);
    Index at = idx.unknown(loop.getInductionVar(), unroll);
    SmallVector<Position> all;
    for (const Position &position : dims)
      for (int64_t part = 0; part < unroll; ++part) {
        all.push_back(position);
        for (auto [dim, index] : llvm::zip_equal(reductions, idx.delinear(idx.add(at, part), own)))
          all.back()[dim] = index;
      }
    scf::YieldOp::create(b, loc, step(op, all, loop.getRegionIterArgs()));
  }
  unsigned results = combiners.size();
  Values ends;
  for (auto [i, start] : llvm::enumerate(starts)) {
    size_t lane = i / results, result = i % results;
    auto partOf = [&](int64_t part) { return loop.getResult((lane * unroll + part) * results + result); };
    Value sum = partOf(0);
    for (int64_t part = 1; part < unroll; ++part)
      sum = team->join(combiners[result], sum, partOf(part));
    ends.push_back(team->join(combiners[result], start, team->combine(sum, combiners[result])));
  }
  return ends;
}

/// Sums that a loop needs and that are the same in all its steps are computed in front of it. Such a one is found
/// through element-wise ops only: behind a condition, a position may not exist.
void Elements::computeInputsAhead(linalg::GenericOp op, ArrayRef<std::optional<Index>> dims) {
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (op.getRegion().front().getArgument(operand->getOperandNumber()).use_empty())
      continue;
    SmallVector<std::optional<Index>> at;
    Position known;
    for (const std::optional<Index> &dim : dims)
      known.push_back(dim.value_or(Index(0)));
    for (AffineExpr expr : op.getMatchingIndexingMap(operand).getResults()) {
      bool isOpen = false;
      for (auto [i, dim] : llvm::enumerate(dims))
        isOpen |= !dim && expr.isFunctionOfDim(i);
      at.push_back(isOpen ? std::nullopt : std::optional(idx.eval(expr, known)));
    }
    computeAhead(operand->get(), at);
  }
}

void Elements::computeAhead(Value tensor, ArrayRef<std::optional<Index>> at) {
  auto op = tensor.getDefiningOp<linalg::GenericOp>();
  if (!op)
    return;
  if (llvm::all_of(at, [](const std::optional<Index> &index) { return index.has_value(); })) {
    get(tensor, {llvm::map_to_vector<4>(at, [](const std::optional<Index> &index) { return *index; })});
    return;
  }
  SmallVector<std::optional<Index>> dims(op.getNumLoops());
  AffineMap map = op.getIndexingMapMatchingResult(cast<OpResult>(tensor));
  for (auto [expr, index] : llvm::zip_equal(map.getResults(), at))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      dims[dim.getPosition()] = index;
  computeInputsAhead(op, dims);
}
