// Ops around attention, along a sequence: formula ops.
#include "coat/Dialect/SequenceOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <cmath>

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/SequenceOps.cpp.inc"

void CoatDialect::addSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/SequenceOps.cpp.inc"
      >();
}

/// The sum of two sizes, `?` where one is.
static int64_t addSizes(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic : a + b;
}

/// Fails unless `value`, when there, holds `size` indices.
static LogicalResult checkIndices(EmitError emitError, StringRef name, Value value, int64_t size) {
  if (!value)
    return success();
  RankedTensorType type = tensorType(value);
  if (isIndexElement(type.getElementType()) && type.getRank() == 1 && sizesAgree(type.getDimSize(0), size))
    return success();
  return emitError() << "expected " << name << " of " << formatShape({size}) << " elements of i32 or i64, got " << type;
}

//===----------------------------------------------------------------------===//
// coat.visible_keys
//===----------------------------------------------------------------------===//

LogicalResult VisibleKeysOp::checkConstraints(Adaptor op, EmitError emitError) {
  for (Value value : {op.getQuery(), op.getKey(), op.getPastKey()})
    if (value && tensorType(value).getRank() != 4) // C1
      return emitError() << "expected query and keys of rank 4, got " << value.getType();
  if (op.getLengths() && op.getPastKey()) // C2
    return emitError() << "expected lengths or past_key, got both";
  if (failed(checkIndices(emitError, "lengths", op.getLengths(), tensorType(op.getQuery()).getDimSize(0)))) // C2
    return failure();
  for (int64_t window : {int64_t(op.getLeftWindow()), int64_t(op.getRightWindow())})
    if (window < -1) // C3
      return emitError() << "expected windows of at least -1, got " << window;
  return success();
}

LogicalResult VisibleKeysOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<VisibleKeysOp>(context, location, op)))
    return failure();
  RankedTensorType query = tensorType(op.getQuery());
  int64_t past = op.getPastKey() ? tensorType(op.getPastKey()).getDimSize(2) : 0;
  int64_t keys = addSizes(past, tensorType(op.getKey()).getDimSize(2));
  types.push_back(RankedTensorType::get({op.getLengths() ? query.getDimSize(0) : 1, 1, query.getDimSize(2), keys},
                                        IntegerType::get(context, 1)));
  return success();
}

LogicalResult VisibleKeysOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  shapes.push_back(reifySizes(builder, loc, getResult().getType(), [&](int64_t dim) {
    if (dim != 3)
      return tensor::getMixedSize(builder, loc, getQuery(), dim);
    OpFoldResult keys = tensor::getMixedSize(builder, loc, getKey(), 2);
    if (!getPastKey())
      return keys;
    AffineExpr sum = builder.getAffineDimExpr(0) + builder.getAffineDimExpr(1);
    return applyExpr(builder, loc, sum, {tensor::getMixedSize(builder, loc, getPastKey(), 2), keys});
  }));
  return success();
}

int64_t VisibleKeysOp::getFlops() { return 0; }

LogicalResult VisibleKeysOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value lengths = getLengths() ? in.back() : Value();
  Scalar before = getPastKey() ? loops.dim(in[2], 2) : loops.index(0);
  Scalar rows = loops.dim(in[0], 2);
  int64_t left = getLeftWindow(), right = getRightWindow();
  loops.eachResult(out[0], {}, [&](const Scalars &at) {
    Scalar key = at[3], position = at[2] + before, visible = loops.number(1, loops.builder.getI1Type());
    if (lengths) {
      Scalar length = loops.toIndex(loops.load(lengths, {at[0]}));
      position = at[2] + length - rows;
      visible = key < length;
    }
    if (getCausal())
      visible = visible && key <= position;
    if (left >= 0)
      visible = visible && key >= position - left;
    if (right >= 0)
      visible = visible && key <= position + right;
    loops.store(visible, out[0], at);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.best_keys
//===----------------------------------------------------------------------===//

LogicalResult BestKeysOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType scores = tensorType(op.getScores());
  if (scores.getRank() < 1) // C1
    return emitError() << "expected scores of rank 1 or more, got " << scores;
  if (failed(checkFloat(emitError, scores))) // C1
    return failure();
  if (int64_t(op.getTopK()) < 1) // C2
    return emitError() << "expected top_k of at least 1, got " << int64_t(op.getTopK());
  return success();
}

LogicalResult BestKeysOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  types.push_back(op.getScores().getType());
  return checkedInference<BestKeysOp>(context, location, op);
}

LogicalResult BestKeysOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getScores()));
  return success();
}

int64_t BestKeysOp::getFlops() { return elementCount(getType()) * getTopK(); }

LogicalResult BestKeysOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  int64_t last = cast<MemRefType>(out[0].getType()).getRank() - 1;
  Type type = ScalarLoops::computeType(getScores().getType().getElementType());
  Scalar infinity = loops.number(INFINITY, type);
  loops.eachResult(out[0], {last}, [&](Scalars at) {
    Scalar keys = loops.dim(in[0], last);
    loops.each({keys}, [&](const Scalars &t) {
      at[last] = t[0];
      loops.store(-infinity, out[0], at);
    });
    // The greatest behind the one found before, in the order of scores, then of positions; `keys` when there is none.
    Scalars start{infinity, loops.index(-1)};
    loops.accumulate({loops.upTo(loops.index(getTopK()))}, start, [&](const Scalars &, const Scalars &before) {
      Scalars best =
          loops.accumulate({loops.upTo(keys)}, {-infinity, keys}, [&](const Scalars &t, const Scalars &best) {
            Scalars from = at;
            from[last] = t[0];
            Scalar score = loops.load(in[0], from);
            Scalar behind = select(score == before[0], t[0] > before[1], score < before[0]);
            Scalar take = behind && score > best[0];
            return Scalars{select(take, score, best[0]), select(take, t[0], best[1])};
          });
      loops.ifTrue(best[1] < keys, [&] {
        at[last] = best[1];
        loops.store(best[0], out[0], at);
      });
      return best;
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.cache_write
//===----------------------------------------------------------------------===//

LogicalResult CacheWriteOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType cache = tensorType(op.getCache()), update = tensorType(op.getUpdate());
  int64_t axis = op.getAxis(), rank = cache.getRank();
  if (failed(checkAxis(emitError, axis, rank))) // C1
    return failure();
  if (axis == 0) // C1
    return emitError() << "expected an axis other than that of batches, got 0";
  bool fits = update.getRank() == rank && update.getElementType() == cache.getElementType(); // C2
  for (int64_t dim = 0; fits && dim < rank; ++dim) {
    int64_t whole = cache.getDimSize(dim), part = update.getDimSize(dim);
    bool shorter = ShapedType::isDynamic(whole) || ShapedType::isDynamic(part) || part <= whole;
    fits = dim == axis ? shorter : sizesAgree(whole, part);
  }
  if (!fits) // C2
    return emitError() << "expected an update for " << cache << " that may be shorter along axis " << axis << ", got "
                       << update;
  return checkIndices(emitError, "positions", op.getFirst(), cache.getDimSize(0)); // C3
}

LogicalResult CacheWriteOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  types.push_back(op.getCache().getType());
  return checkedInference<CacheWriteOp>(context, location, op);
}

LogicalResult CacheWriteOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, getLoc(), getCache()));
  return success();
}

int64_t CacheWriteOp::getFlops() { return 0; }

/// A result in the cache's own buffer already holds what is not new.
static Scalar areDifferentBuffers(ScalarLoops &loops, Value a, Value b) {
  auto address = [&](Value buffer) {
    return memref::ExtractAlignedPointerAsIndexOp::create(loops.builder, loops.loc, buffer).getResult();
  };
  return {loops, arith::CmpIOp::create(loops.builder, loops.loc, arith::CmpIPredicate::ne, address(a), address(b))};
}

LogicalResult CacheWriteOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value cache = in[0], update = in[1], first = getFirst() ? in[2] : Value(), result = out[0];
  int64_t axis = getAxis(), outer = std::min<int64_t>(axis, 2);
  Scalar whole = loops.dim(cache, axis);
  auto inside = [&](const Scalars &task, Value extents, ScalarLoops::Body body) {
    loops.each(ArrayRef(loops.dims(extents)).drop_front(outer), [&](const Scalars &rest) {
      Scalars at = task;
      at.append(rest);
      body(at);
    });
  };
  loops.parallel(ArrayRef(loops.dims(result)).take_front(outer), [&](const Scalars &task) {
    loops.ifTrue(areDifferentBuffers(loops, cache, result), [&] {
      inside(task, result, [&](const Scalars &at) { loops.storeElement(loops.loadElement(cache, at), result, at); });
    });
    Scalar start = first ? loops.toIndex(loops.load(first, {task[0]})) : loops.index(0);
    inside(task, update, [&](const Scalars &at) {
      Scalars to = at;
      to[axis] = at[axis] + start;
      if (getCircular())
        to[axis] = (to[axis] % whole + whole) % whole;
      loops.ifTrue(to[axis] >= 0.0 && to[axis] < whole,
                   [&] { loops.storeElement(loops.loadElement(update, at), result, to); });
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.linear_attention
//===----------------------------------------------------------------------===//

/// a / b, `?` where a is.
static int64_t shareOf(int64_t a, int64_t b) { return ShapedType::isDynamic(a) ? a : a / b; }

/// [B, Hkv, Dk, Dv].
static SmallVector<int64_t> stateShape(LinearAttentionOp::Adaptor op) {
  RankedTensorType key = tensorType(op.getKey()), value = tensorType(op.getValue());
  int64_t heads = op.getKvHeads();
  return {key.getDimSize(0), heads, shareOf(key.getDimSize(2), heads), shareOf(value.getDimSize(2), heads)};
}

LogicalResult LinearAttentionOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType query = tensorType(op.getQuery()), key = tensorType(op.getKey()), value = tensorType(op.getValue());
  for (RankedTensorType type : {query, key, value})
    if (type.getRank() != 3 || !sizesAgree(type.getDimSize(0), query.getDimSize(0)) ||
        !sizesAgree(type.getDimSize(1), query.getDimSize(1))) // C1
      return emitError() << "expected query, key and value of rank 3, one batch size and one length, got " << query
                         << ", " << key << " and " << value;
  int64_t heads = op.getQHeads(), keyHeads = op.getKvHeads();
  if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0) // C2
    return emitError() << "expected a number of key heads that divides " << heads << ", got " << keyHeads;
  auto divides = [](int64_t count, int64_t size) { return ShapedType::isDynamic(size) || size % count == 0; };
  if (!divides(heads, query.getDimSize(2)) || !divides(keyHeads, key.getDimSize(2)) ||
      !divides(keyHeads, value.getDimSize(2)) ||
      !sizesAgree(shareOf(query.getDimSize(2), heads), shareOf(key.getDimSize(2), keyHeads))) // C2
    return emitError() << "expected " << heads << " query and " << keyHeads << " key heads of one size, got " << query
                       << ", " << key << " and " << value;
  if (op.getPastState() && (!broadcastsTo(tensorType(op.getPastState()).getShape(), stateShape(op)) ||
                            tensorType(op.getPastState()).getRank() != 4)) // C3
    return emitError() << "expected a past_state of " << formatShape(stateShape(op)) << ", got "
                       << op.getPastState().getType();
  auto isGate = [&](Value gate, ArrayRef<int64_t> lastSizes) {
    RankedTensorType type = tensorType(gate);
    return type.getRank() == 3 && sizesAgree(type.getDimSize(0), query.getDimSize(0)) &&
           sizesAgree(type.getDimSize(1), query.getDimSize(1)) && llvm::is_contained(lastSizes, type.getDimSize(2));
  };
  if (op.getDecay() && !isGate(op.getDecay(), {keyHeads, key.getDimSize(2)})) // C4
    return emitError() << "expected a decay of " << keyHeads << " or " << formatShape({key.getDimSize(2)})
                       << " elements a step, got " << op.getDecay().getType();
  if (op.getBeta() && !isGate(op.getBeta(), {keyHeads, 1})) // C4
    return emitError() << "expected a beta of " << keyHeads << " or 1 elements a step, got " << op.getBeta().getType();
  if (op.getPastState() && failed(checkFloat(emitError, tensorType(op.getPastState())))) // C5
    return failure();
  if (failed(checkFloat(emitError, query))) // C5
    return failure();
  return checkElementTypes(emitError, {op.getQuery(), op.getKey(), op.getValue(), op.getDecay(), op.getBeta()}); // C5
}

LogicalResult LinearAttentionOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                                  SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<LinearAttentionOp>(context, location, op)))
    return failure();
  RankedTensorType query = tensorType(op.getQuery());
  SmallVector<int64_t> state = stateShape(op);
  int64_t width = ShapedType::isDynamic(state[3]) ? state[3] : state[3] * int64_t(op.getQHeads());
  types.push_back(query.clone({query.getDimSize(0), query.getDimSize(1), width}));
  types.push_back(tensorType(op.getPastState() ? op.getPastState() : op.getQuery()).clone(state));
  return success();
}

LogicalResult LinearAttentionOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  Location loc = getLoc();
  int64_t heads = getQHeads(), keyHeads = getKvHeads();
  auto share = [&](Value of, int64_t times) {
    return applyExpr(builder, loc, builder.getAffineDimExpr(0).floorDiv(keyHeads) * times,
                     {tensor::getMixedSize(builder, loc, of, 2)});
  };
  shapes.push_back(reifySizes(builder, loc, getResult().getType(), [&](int64_t dim) {
    return dim == 2 ? share(getValue(), heads) : tensor::getMixedSize(builder, loc, getQuery(), dim);
  }));
  shapes.push_back(reifySizes(builder, loc, getPresentState().getType(), [&](int64_t dim) {
    return dim == 0 ? tensor::getMixedSize(builder, loc, getKey(), 0) : share(dim == 2 ? getKey() : getValue(), 1);
  }));
  return success();
}

int64_t LinearAttentionOp::getFlops() {
  int64_t state = elementCount(getPresentState().getType()), steps = tensorType(getQuery()).getDimSize(1);
  return (ShapedType::isDynamic(steps) ? 1 : steps) * state * (getBeta() ? 6 : 4);
}

namespace {
/// The recurrence of one key head of one batch. Every innermost loop runs along a row of the state.
class Recurrence {
public:
  Recurrence(ScalarLoops &loops, LinearAttentionOp op, ValueRange in, ValueRange out, Scalar batch, Scalar head)
      : loops(loops), in(in, op), out(out), batch(batch), head(head), group(op.getQHeads() / op.getKvHeads()),
        keyHeads(op.getKvHeads()), scale(op.getScale().convertToDouble()),
        type(ScalarLoops::computeType(op.getQuery().getType().getElementType())), depth(loops.dim(out[1], 2)),
        width(loops.dim(out[1], 3)), zero(loops.number(0, type)) {
    state = loops.buffer(type, {depth, width});
    row = loops.buffer(type, width);
  }

  void run() {
    loops.each({depth, width}, [&](const Scalars &at) {
      loops.store(in.getPastState() ? loops.toFloat(loops.load(in.getPastState(), {batch, head, at[0], at[1]}), type)
                                    : zero,
                  state, at);
    });
    loops.each({loops.dim(in.getQuery(), 1)}, [&](const Scalars &t) { step(t[0]); });
    loops.each({depth, width}, [&](const Scalars &at) {
      Type stored = ScalarLoops::computeType(cast<MemRefType>(out[1].getType()).getElementType());
      loops.store(loops.toFloat(loops.load(state, at), stored), out[1], {batch, head, at[0], at[1]});
    });
  }

private:
  /// Element d of one head's part of a packed row.
  Scalar packed(Value tensor, Scalar t, Scalar whichHead, Scalar size, Scalar d) {
    return loops.load(tensor, {batch, t, whichHead * size + d});
  }

  void step(Scalar t) {
    if (in.getDecay())
      loops.each({depth}, [&](const Scalars &d) {
        Scalar keep = exp(gate(in.getDecay(), t, d[0]));
        loops.each({width},
                   [&](const Scalars &m) { loops.store(loops.load(state, {d[0], m[0]}) * keep, state, {d[0], m[0]}); });
      });
    auto key = [&](Scalar d) { return packed(in.getKey(), t, head, depth, d); };
    loops.each({width}, [&](const Scalars &m) { loops.store(packed(in.getValue(), t, head, width, m[0]), row, m); });
    if (in.getBeta()) {
      addRows([&](Scalar d) { return -key(d); });
      Scalar rate = gate(in.getBeta(), t, loops.index(0));
      loops.each({width}, [&](const Scalars &m) { loops.store(loops.load(row, m) * rate, row, m); });
    }
    loops.each({depth}, [&](const Scalars &d) {
      Scalar factor = key(d[0]);
      loops.each({width}, [&](const Scalars &m) {
        loops.store(loops.load(state, {d[0], m[0]}) + factor * loops.load(row, m), state, {d[0], m[0]});
      });
    });
    loops.each({loops.index(group)}, [&](const Scalars &g) {
      Scalar queryHead = head * double(group) + g[0];
      loops.each({width}, [&](const Scalars &m) { loops.store(zero, row, m); });
      addRows([&](Scalar d) { return packed(in.getQuery(), t, queryHead, depth, d); });
      loops.each({width}, [&](const Scalars &m) {
        loops.store(loops.load(row, m) * scale, out[0], {batch, t, queryHead * width + m[0]});
      });
    });
  }

  /// row[m] += sum over d of factor(d) * state[d, m]
  void addRows(llvm::function_ref<Scalar(Scalar)> factor) {
    loops.each({depth}, [&](const Scalars &d) {
      Scalar f = factor(d[0]);
      loops.each({width}, [&](const Scalars &m) {
        loops.store(loops.load(row, m) + f * loops.load(state, {d[0], m[0]}), row, m);
      });
    });
  }

  /// Element d of a gate of this head; gates have an element for all heads, one a head or one a d.
  Scalar gate(Value tensor, Scalar t, Scalar d) {
    int64_t size = cast<MemRefType>(tensor.getType()).getDimSize(2);
    if (size == 1)
      return loops.load(tensor, {batch, t, loops.index(0)});
    return size == keyHeads ? loops.load(tensor, {batch, t, head}) : packed(tensor, t, head, depth, d);
  }

  ScalarLoops &loops;
  LinearAttentionOp::Adaptor in;
  ValueRange out;
  Scalar batch, head;
  int64_t group, keyHeads;
  double scale;
  Type type;
  Scalar depth, width, zero;
  Value state, row;
};
} // namespace

LogicalResult LinearAttentionOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  loops.parallel({loops.dim(out[1], 0), loops.dim(out[1], 1)},
                 [&](const Scalars &at) { Recurrence(loops, *this, in, out, at[0], at[1]).run(); });
  return success();
}
