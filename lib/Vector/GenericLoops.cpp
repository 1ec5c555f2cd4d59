// A linalg op on memrefs as loops; see GenericLoops.h.
//
// Parallel loops are outside. Inside them are either blocks of vectors along the parallel vector loop, each with the
// whole reduction in registers, or the reduction with its innermost loop along vectors and one partial result a lane.
#include "GenericLoops.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

namespace {
/// Vectors in flight: enough to hide the latency of an add, few enough for 16 registers.
constexpr int64_t reductionUnroll = 4;

class LoopEmitter {
public:
  LoopEmitter(OpBuilder &builder, linalg::LinalgOp op, ArrayRef<Value> starts, int64_t lanes, VectorChoice choice)
      : b(builder), loc(op.getLoc()), op(op), starts(starts), lanes(lanes), choice(choice),
        maps(op.getIndexingMapsArray()), point(op.getNumLoops()) {
    for (Range range : op.createLoopRanges(builder, loc))
      extents.push_back(range.size);
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      if (choice.kind != VectorKind::none && loop == choice.loop)
        continue;
      (linalg::isParallelIterator(kind) ? parallel : reductions).push_back(loop);
    }
  }

  void emit() { emitParallel(0); }

private:
  /// A value of the body: one for all lanes, one a lane (`vector`), or the vector loop's index plus something.
  struct Lane {
    Value value;
    bool isVector = false, isPosition = false;
  };
  /// Lanes that are computed together: `width` 1 is scalar code.
  using Body = llvm::function_ref<SmallVector<Value>(ValueRange)>;

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value extent(unsigned loop) { return getValueOrCreateConstantIndexOp(b, loc, extents[loop]); }

  //===--- loops ---===//

  void emitParallel(size_t depth) {
    if (depth < parallel.size()) {
      forLoop(constant(0), extents[parallel[depth]], 1, {}, parallel[depth], [&](ValueRange) {
        emitParallel(depth + 1);
        return SmallVector<Value>();
      });
      return;
    }
    preload();
    if (choice.kind == VectorKind::parallel)
      emitBlocks();
    else if (choice.kind == VectorKind::reduction)
      emitReductionAlongVectors();
    else
      emitPoint(1, 1);
    preloaded.clear();
  }

  /// scf.for over `loop`; its index is in `point` while `body` runs. An extent of 1 needs no loop.
  SmallVector<Value> forLoop(Value lower, OpFoldResult upper, int64_t step, ValueRange carried, unsigned loop,
                             Body body) {
    if (isConstantIntValue(upper, 1) && isConstantIntValue(lower, 0)) {
      point[loop] = lower;
      return body(carried);
    }
    Value end = getValueOrCreateConstantIndexOp(b, loc, upper);
    auto made = scf::ForOp::create(b, loc, lower, end, constant(step), carried);
    OpBuilder::InsertionGuard guard(b);
    if (carried.empty())
      b.setInsertionPoint(made.getBody()->getTerminator());
    else
      b.setInsertionPointToStart(made.getBody());
    point[loop] = made.getInductionVar();
    SmallVector<Value> next = body(made.getRegionIterArgs());
    if (!carried.empty())
      scf::YieldOp::create(b, loc, next);
    return made.getResults();
  }

  /// The reductions but `choice.loop`, from `depth` on, around `body`.
  SmallVector<Value> reduce(size_t depth, ValueRange carried, Body body) {
    if (depth == reductions.size())
      return body(carried);
    return forLoop(constant(0), extents[reductions[depth]], 1, carried, reductions[depth],
                   [&](ValueRange inner) { return reduce(depth + 1, inner, body); });
  }

  /// Calls `block(width, unroll)` in loops that cover [0, extent of the vector loop): blocks of vectors, single
  /// vectors, narrower ones for a known rest, scalars.
  SmallVector<Value> cover(int64_t unroll, SmallVector<Value> carried, bool halves,
                           llvm::function_ref<SmallVector<Value>(int64_t, int64_t, ValueRange)> block) {
    std::optional<int64_t> size = getConstantIntValue(extents[choice.loop]);
    SmallVector<std::pair<int64_t, int64_t>> widths;
    if (unroll > 1)
      widths.push_back({lanes, unroll});
    widths.push_back({lanes, 1});
    if (size && halves)
      for (int64_t width = lanes / 2; width >= 4; width /= 2)
        widths.push_back({width, 1});
    widths.push_back({1, 1});
    Value lower = constant(0);
    int64_t from = 0;
    for (auto [width, count] : widths) {
      int64_t step = width * count;
      if (size && *size - from < step)
        continue;
      OpFoldResult upper = extents[choice.loop];
      if (size) {
        upper = b.getIndexAttr(from + (*size - from) / step * step);
      } else if (step > 1) {
        AffineExpr lo = b.getAffineSymbolExpr(0), hi = b.getAffineSymbolExpr(1);
        Value value =
            affine::expandAffineExpr(b, loc, lo + (hi - lo).floorDiv(step) * step, {}, {lower, extent(choice.loop)});
        upper = value;
      }
      bool once = size && *getConstantIntValue(upper) - from == step;
      if (once) {
        point[choice.loop] = lower;
        carried = block(width, count, carried);
      } else {
        carried = forLoop(lower, upper, step, carried, choice.loop,
                          [&, width = width, count = count](ValueRange inner) { return block(width, count, inner); });
      }
      lower = getValueOrCreateConstantIndexOp(b, loc, upper);
      from = size ? *getConstantIntValue(upper) : 0;
    }
    return carried;
  }

  //===--- the vector loop is parallel (or there is none) ---===//

  void emitBlocks() {
    int64_t unroll = reductions.empty() ? 1 : reductionUnroll;
    cover(unroll, {}, /*halves=*/true, [&](int64_t width, int64_t count, ValueRange) {
      emitPoint(width, count);
      return SmallVector<Value>();
    });
  }

  /// `count` vectors of `width` from `point` on: load accumulators, reduce, store.
  void emitPoint(int64_t width, int64_t count) {
    SmallVector<Value> base(point);
    SmallVector<Value> carried;
    for (int64_t i = 0; i < count; ++i) {
      shift(base, i * width);
      for (int64_t out = 0; out < op.getNumDpsInits(); ++out)
        carried.push_back(initial(out, width));
    }
    shift(base, 0);
    carried = reduce(0, carried, [&](ValueRange accumulators) {
      SmallVector<Value> results;
      SmallVector<Value> here(point);
      if (choice.kind == VectorKind::parallel)
        here[choice.loop] = base[choice.loop];
      for (int64_t i = 0; i < count; ++i) {
        shift(here, i * width);
        ValueRange own = accumulators.slice(i * op.getNumDpsInits(), op.getNumDpsInits());
        llvm::append_range(results, compute(own, width));
      }
      shift(here, 0);
      return results;
    });
    for (int64_t i = 0; i < count; ++i) {
      shift(base, i * width);
      for (int64_t out = 0; out < op.getNumDpsInits(); ++out)
        store(out, carried[i * op.getNumDpsInits() + out], width);
    }
    shift(base, 0);
  }

  /// `point` is `base`, `by` further along the vector loop.
  void shift(ArrayRef<Value> base, int64_t by) {
    point.assign(base.begin(), base.end());
    if (by)
      point[choice.loop] = arith::AddIOp::create(b, loc, base[choice.loop], constant(by));
  }

  /// The value that output `out` has before the reduction; null where the body does not read it.
  Value initial(int64_t out, int64_t width) {
    if (reductions.empty() && op.getRegionOutputArgs()[out].use_empty())
      return constant(0); // never read
    if (starts[out])
      return inVector(starts[out], width);
    return inVector(loadOperand(*op.getDpsInitOperand(out), width).value, width);
  }

  //===--- the vector loop is a reduction ---===//

  void emitReductionAlongVectors() {
    int64_t outputs = op.getNumDpsInits();
    // For each output: partial vectors, then a scalar that starts from the output itself.
    SmallVector<Value> carried;
    for (int64_t out = 0; out < outputs; ++out) {
      Operation *combiner = combinerOf(out);
      Value neutral = inVector(arith::ConstantOp::create(b, loc, *arith::getNeutralElement(combiner)), lanes);
      carried.append(reductionUnroll, neutral);
      carried.push_back(starts[out] ? starts[out] : loadOperand(*op.getDpsInitOperand(out), 1).value);
    }
    int64_t group = reductionUnroll + 1;
    carried = reduce(0, carried, [&](ValueRange outer) {
      return cover(reductionUnroll, SmallVector<Value>(outer), /*halves=*/false,
                   [&](int64_t width, int64_t count, ValueRange inner) {
                     SmallVector<Value> next(inner), base(point);
                     for (int64_t i = 0; i < count; ++i) {
                       shift(base, i * width);
                       SmallVector<Value> own;
                       for (int64_t out = 0; out < outputs; ++out)
                         own.push_back(next[out * group + (width == 1 ? reductionUnroll : i)]);
                       SmallVector<Value> results = compute(own, width);
                       for (int64_t out = 0; out < outputs; ++out)
                         next[out * group + (width == 1 ? reductionUnroll : i)] = results[out];
                     }
                     shift(base, 0);
                     return next;
                   });
    });
    for (int64_t out = 0; out < outputs; ++out)
      store(out, combinePartials(out, ArrayRef(carried).slice(out * group, group)), 1);
  }

  Operation *combinerOf(int64_t out) { return op.getBlock()->getTerminator()->getOperand(out).getDefiningOp(); }

  Value combine(int64_t out, Value left, Value right) {
    IRMapping mapping;
    Operation *combiner = combinerOf(out);
    mapping.map(combiner->getOperand(0), left);
    mapping.map(combiner->getOperand(1), right);
    Operation *made = b.clone(*combiner, mapping);
    made->getResult(0).setType(left.getType());
    return made->getResult(0);
  }

  Value combinePartials(int64_t out, ArrayRef<Value> partials) {
    SmallVector<Value> vectors(partials.drop_back());
    while (vectors.size() > 1) {
      size_t half = vectors.size() / 2;
      for (size_t i = 0; i < half; ++i)
        vectors[i] = combine(out, vectors[i], vectors[vectors.size() - 1 - i]);
      vectors.truncate(vectors.size() - half);
    }
    // A sum over lanes may be taken in any order, as the lanes themselves were.
    arith::FastMathFlags flags = arith::FastMathFlags::reassoc;
    if (auto fast = dyn_cast<arith::ArithFastMathInterface>(combinerOf(out)))
      flags = flags | fast.getFastMathFlagsAttr().getValue();
    Value scalar = vector::ReductionOp::create(b, loc, *linalg::getCombinerOpKind(combinerOf(out)), vectors[0], flags);
    return combine(out, scalar, partials.back());
  }

  //===--- memory ---===//

  AffineMap mapOf(OpOperand &operand) { return maps[operand.getOperandNumber()]; }

  SmallVector<Value> indicesOf(OpOperand &operand, ArrayRef<Value> at) {
    SmallVector<Value> indices;
    for (AffineExpr expr : mapOf(operand).getResults()) {
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        indices.push_back(at[dim.getPosition()]);
      else
        indices.push_back(affine::expandAffineExpr(b, loc, expr, withoutNulls(at), {}));
    }
    return indices;
  }

  SmallVector<Value> withoutNulls(ArrayRef<Value> at) {
    SmallVector<Value> values(at);
    for (Value &value : values)
      if (!value)
        value = constant(0);
    return values;
  }

  bool variesAlongVector(OpOperand &operand) {
    return choice.kind != VectorKind::none && mapOf(operand).isFunctionOfDim(choice.loop);
  }

  /// Operand elements that are the same in all of the inner loops are read before them: stores in between would
  /// keep LLVM from hoisting the loads.
  void preload() {
    for (OpOperand *operand : op.getDpsInputOperands()) {
      bool inner = variesAlongVector(*operand);
      for (unsigned loop : reductions)
        inner |= mapOf(*operand).isFunctionOfDim(loop);
      if (!inner && !op.getMatchingBlockArgument(operand).use_empty())
        preloaded[operand->getOperandNumber()] = loadScalar(*operand, point);
    }
  }

  Value loadScalar(OpOperand &operand, ArrayRef<Value> at) {
    if (!isa<MemRefType>(operand.get().getType()))
      return operand.get();
    return memref::LoadOp::create(b, loc, operand.get(), indicesOf(operand, at));
  }

  Lane loadOperand(OpOperand &operand, int64_t width) {
    auto known = preloaded.find(operand.getOperandNumber());
    if (known != preloaded.end())
      return {known->second};
    if (width == 1 || !variesAlongVector(operand))
      return {loadScalar(operand, point)};
    auto memref = cast<MemRefType>(operand.get().getType());
    auto type = VectorType::get(width, memref.getElementType());
    if (isContiguousAlong(mapOf(operand), memref, choice.loop))
      return {vector::LoadOp::create(b, loc, type, operand.get(), indicesOf(operand, point)), true};
    SmallVector<Value> elements, at(point);
    for (int64_t lane = 0; lane < width; ++lane) {
      at[choice.loop] =
          lane ? arith::AddIOp::create(b, loc, point[choice.loop], constant(lane)).getResult() : point[choice.loop];
      elements.push_back(loadScalar(operand, at));
    }
    return {vector::FromElementsOp::create(b, loc, type, elements), true};
  }

  void store(int64_t out, Value value, int64_t width) {
    OpOperand &operand = *op.getDpsInitOperand(out);
    if (width == 1)
      memref::StoreOp::create(b, loc, value, operand.get(), indicesOf(operand, point));
    else
      vector::StoreOp::create(b, loc, inVector(value, width), operand.get(), indicesOf(operand, point));
  }

  //===--- the body ---===//

  Value inVector(Value value, int64_t width) {
    if (width == 1 || isa<VectorType>(value.getType()))
      return value;
    return vector::BroadcastOp::create(b, loc, VectorType::get(width, value.getType()), value);
  }

  /// The body at `point`, for `width` lanes, with `accumulators` for the outputs.
  SmallVector<Value> compute(ValueRange accumulators, int64_t width) {
    DenseMap<Value, Lane> lanesOf;
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument arg = op.getMatchingBlockArgument(&operand);
      if (arg.use_empty())
        continue;
      lanesOf[arg] = op.isDpsInit(&operand)
                         ? Lane{accumulators[operand.getOperandNumber() - op.getNumDpsInputs()], width > 1}
                         : loadOperand(operand, width);
    }
    for (Operation &inner : op.getBlock()->without_terminator())
      lanesOf[inner.getNumResults() ? inner.getResult(0) : Value()] = computeOp(inner, lanesOf, width);
    SmallVector<Value> results;
    for (Value yielded : op.getBlock()->getTerminator()->getOperands())
      results.push_back(vectorOf(laneOf(yielded, lanesOf), width));
    return results;
  }

  Lane laneOf(Value value, const DenseMap<Value, Lane> &lanesOf) {
    auto found = lanesOf.find(value);
    return found == lanesOf.end() ? Lane{value} : found->second; // defined outside of the body
  }

  /// The value as it is used by an op on vectors of `width`.
  Value vectorOf(Lane lane, int64_t width) {
    if (width == 1 || lane.isVector)
      return lane.value;
    Value all = inVector(lane.value, width);
    if (!lane.isPosition)
      return all;
    Value steps = vector::StepOp::create(b, loc, VectorType::get(width, b.getIndexType()));
    return arith::AddIOp::create(b, loc, all, steps);
  }

  Lane computeOp(Operation &inner, const DenseMap<Value, Lane> &lanesOf, int64_t width) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      bool along = width > 1 && index.getDim() == choice.loop;
      return {point[index.getDim()], false, along};
    }
    SmallVector<Lane> operands;
    for (Value operand : inner.getOperands())
      operands.push_back(laneOf(operand, lanesOf));
    bool uniform = llvm::none_of(operands, [](const Lane &lane) { return lane.isVector || lane.isPosition; });
    bool shifts = isa<arith::AddIOp, arith::SubIOp>(inner) && operands[0].isPosition && !operands[1].isVector &&
                  !operands[1].isPosition;
    IRMapping mapping;
    if (uniform || shifts) {
      for (auto [from, to] : llvm::zip(inner.getOperands(), operands))
        mapping.map(from, to.value);
      return {b.clone(inner, mapping)->getResult(0), false, shifts};
    }
    if (auto load = dyn_cast<memref::LoadOp>(inner)) {
      SmallVector<Value> indices;
      for (const Lane &lane : ArrayRef(operands).drop_front())
        indices.push_back(lane.value);
      auto type = VectorType::get(width, load.getType());
      return {vector::LoadOp::create(b, loc, type, operands[0].value, indices), true};
    }
    for (auto [i, operand] : llvm::enumerate(inner.getOperands())) {
      bool condition = isa<arith::SelectOp>(inner) && i == 0 && !operands[0].isVector && !operands[0].isPosition;
      mapping.map(operand, condition ? operands[0].value : vectorOf(operands[i], width));
    }
    Operation *made = b.clone(inner, mapping);
    made->getResult(0).setType(VectorType::get(width, inner.getResult(0).getType()));
    return {made->getResult(0), true};
  }

  OpBuilder &b;
  Location loc;
  linalg::LinalgOp op;
  ArrayRef<Value> starts;
  int64_t lanes;
  VectorChoice choice;
  SmallVector<AffineMap> maps;
  SmallVector<OpFoldResult> extents;
  SmallVector<unsigned> parallel, reductions;
  SmallVector<Value> point; // the current index of every loop
  DenseMap<unsigned, Value> preloaded;
};
} // namespace

void coat::emitLoops(OpBuilder &builder, linalg::LinalgOp op, ArrayRef<Value> starts, int64_t lanes,
                     VectorChoice choice) {
  LoopEmitter(builder, op, starts, lanes, choice).emit();
}
