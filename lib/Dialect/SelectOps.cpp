// Ops whose data decide how many elements they give: NonZero, Compress, Unique. Each fills the beginning of its lists.
#include "Indices.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;

/// A list with room for `copies` times the elements of `input`.
static RankedTensorType listType(Value input, int64_t copies, Type elementType) {
  RankedTensorType type = tensorType(input);
  return RankedTensorType::get(type.hasStaticShape() ? type.getNumElements() * copies : ShapedType::kDynamic,
                               elementType);
}

static OpFoldResult listSize(OpBuilder &builder, Location loc, Value input, int64_t copies) {
  AffineExpr count = builder.getAffineConstantExpr(copies);
  for (int64_t dim = 0; dim < tensorType(input).getRank(); ++dim)
    count = count * builder.getAffineDimExpr(dim);
  return applyExpr(builder, loc, count, tensor::getMixedSizes(builder, loc, input));
}

/// Copies slice number `from` of `input` along `axis` to be number `to` of a list of slices; `sizes` are the list's.
static void copySlice(ScalarLoops &loops, Value input, int64_t axis, Scalar from, Value list, Scalar to,
                      const Scalars &sizes) {
  eachExcept(loops, input, axis, [&](Scalars at) {
    at[axis] = from;
    Value element = loops.loadElement(input, at);
    at[axis] = to;
    loops.storeElement(element, list, linearPosition(loops, at, sizes));
  });
}

static Type i64(MLIRContext *context) { return IntegerType::get(context, 64); }
static Type countType(MLIRContext *context) { return RankedTensorType::get({}, i64(context)); }

//===----------------------------------------------------------------------===//
// coat.non_zero
//===----------------------------------------------------------------------===//

LogicalResult NonZeroOp::checkConstraints(Adaptor, EmitError) { return success(); }

LogicalResult NonZeroOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  types.push_back(listType(op.getInput(), tensorType(op.getInput()).getRank(), i64(context)));
  types.push_back(countType(context));
  return success();
}

LogicalResult NonZeroOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back({listSize(builder, getLoc(), getInput(), tensorType(getInput()).getRank())});
  shapes.emplace_back();
  return success();
}

int64_t NonZeroOp::getFlops() { return 0; }

LogicalResult NonZeroOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], list = out[0];
  SmallVector<LoopRange> all;
  for (Scalar size : loops.dims(input))
    all.push_back(loops.upTo(size));
  auto next = [&](const Scalars &at, Scalar count) { return select(loops.load(input, at) == 0.0, count, count + 1); };
  Scalar count = loops.accumulate(all, {loops.index(0)},
                                  [&](const Scalars &at, const Scalars &so) { return Scalars{next(at, so[0])}; })[0];
  loops.accumulate(all, {loops.index(0)}, [&](const Scalars &at, const Scalars &so) {
    Scalar behind = next(at, so[0]);
    loops.ifTrue(so[0] < behind, [&] {
      for (auto [dim, index] : llvm::enumerate(at))
        loops.store(toInteger(loops, index), list, {loops.index(dim) * count + so[0]});
    });
    return Scalars{behind};
  });
  loops.store(toInteger(loops, count), out[1], {});
  return success();
}

//===----------------------------------------------------------------------===//
// coat.compress
//===----------------------------------------------------------------------===//

LogicalResult CompressOp::checkConstraints(Adaptor op, EmitError emitError) {
  RankedTensorType condition = tensorType(op.getCondition());
  if (failed(checkAxis(emitError, op.getAxis(), tensorType(op.getInput()).getRank()))) // C1
    return failure();
  if (condition.getRank() != 1 || !condition.getElementType().isInteger(1)) // C2
    return emitError() << "expected a vector of truth values as condition, got " << condition;
  return success();
}

LogicalResult CompressOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<CompressOp>(context, location, op)))
    return failure();
  types.push_back(listType(op.getInput(), 1, tensorType(op.getInput()).getElementType()));
  types.push_back(countType(context));
  return success();
}

LogicalResult CompressOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back({listSize(builder, getLoc(), getInput(), 1)});
  shapes.emplace_back();
  return success();
}

int64_t CompressOp::getFlops() { return 0; }

LogicalResult CompressOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], condition = in[1], list = out[0];
  int64_t axis = getAxis();
  LoopRange positions = loops.upTo(min(loops.dim(input, axis), loops.dim(condition, 0)));
  auto next = [&](Scalar position, Scalar count) {
    return select(loops.load(condition, {position}), count + 1, count);
  };
  Scalar count = loops.accumulate({positions}, {loops.index(0)},
                                  [&](const Scalars &at, const Scalars &so) { return Scalars{next(at[0], so[0])}; })[0];
  Scalars sizes = loops.dims(input);
  sizes[axis] = count;
  loops.accumulate({positions}, {loops.index(0)}, [&](const Scalars &at, const Scalars &so) {
    Scalar behind = next(at[0], so[0]);
    loops.ifTrue(so[0] < behind, [&] { copySlice(loops, input, axis, at[0], list, so[0], sizes); });
    return Scalars{behind};
  });
  loops.store(toInteger(loops, count), out[1], {});
  return success();
}

//===----------------------------------------------------------------------===//
// coat.unique
//===----------------------------------------------------------------------===//

LogicalResult UniqueOp::checkConstraints(Adaptor op, EmitError emitError) {
  return checkAxis(emitError, op.getAxis(), tensorType(op.getInput()).getRank()); // C1
}

LogicalResult UniqueOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<UniqueOp>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  types.push_back(listType(op.getInput(), 1, input.getElementType()));
  types.append(3, RankedTensorType::get(input.getDimSize(op.getAxis()), i64(context)));
  types.push_back(countType(context));
  return success();
}

LogicalResult UniqueOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back({listSize(builder, getLoc(), getInput(), 1)});
  shapes.append(3, {tensor::getMixedSize(builder, getLoc(), getInput(), getAxis())});
  shapes.emplace_back();
  return success();
}

int64_t UniqueOp::getFlops() { return 0; }

/// -1, 0 or 1: how slice `a` along `axis` compares with slice `b`, lexicographically.
static Scalar compareSlices(ScalarLoops &loops, Value input, int64_t axis, Scalar a, Scalar b) {
  SmallVector<LoopRange> others;
  for (auto [dim, size] : llvm::enumerate(loops.dims(input)))
    if (int64_t(dim) != axis)
      others.push_back(loops.upTo(size));
  Type i32 = loops.builder.getI32Type();
  Scalar same = loops.number(0, i32), less = loops.number(-1, i32), greater = loops.number(1, i32);
  return loops.accumulate(others, {same}, [&](const Scalars &indices, const Scalars &so) {
    auto element = [&](Scalar slice) {
      Scalars at = indices;
      at.insert(at.begin() + axis, slice);
      Scalar x = loops.load(input, at);
      x.isUnsigned |= x.type().isInteger(1); // true comes behind false
      return x;
    };
    Scalar x = element(a), y = element(b);
    return Scalars{select(so[0] == same, select(x < y, less, select(y < x, greater, same)), so[0])};
  })[0];
}

/// The different slices so far are a list of positions in the input: each slice is looked up there, and put in where it
/// is new.
LogicalResult UniqueOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], list = out[0], first = out[1], inverse = out[2], repeats = out[3];
  int64_t axis = getAxis();
  Scalar size = loops.dim(input, axis), zero = loops.index(0), none = loops.index(-1),
         one = toInteger(loops, loops.index(1));
  auto firstOf = [&](Scalar number) { return loops.toIndex(loops.load(first, {number})); };
  /// How many of the `count` first ones come before `slice`, and which one equals it.
  auto find = [&](Scalar slice, Scalar count) {
    return loops.accumulate({loops.upTo(count)}, {zero, none}, [&](const Scalars &number, const Scalars &so) {
      Scalar order = compareSlices(loops, input, axis, slice, firstOf(number[0]));
      return Scalars{select(order > order.constant(0), so[0] + 1, so[0]), select(order == 0.0, number[0], so[1])};
    });
  };
  Scalar count = loops.accumulate({loops.upTo(size)}, {zero}, [&](const Scalars &slice, const Scalars &so) {
    Scalars found = find(slice[0], so[0]);
    Scalar isNew = found[1] < 0.0, to = getSorted() ? found[0] : so[0];
    loops.ifTrue(isNew, [&] {
      loops.each({so[0] - to}, [&](const Scalars &i) {
        Scalar from = so[0] - 1 - i[0];
        loops.store(loops.load(first, {from}), first, {from + 1});
        loops.store(loops.load(repeats, {from}), repeats, {from + 1});
      });
      loops.store(toInteger(loops, slice[0]), first, {to});
      loops.store(one, repeats, {to});
    });
    loops.ifTrue(found[1] >= 0.0, [&] { loops.store(loops.load(repeats, {found[1]}) + 1, repeats, {found[1]}); });
    return Scalars{select(isNew, so[0] + 1, so[0])};
  })[0];
  loops.each({size},
             [&](const Scalars &slice) { loops.store(toInteger(loops, find(slice[0], count)[1]), inverse, slice); });
  Scalars sizes = loops.dims(input);
  sizes[axis] = count;
  loops.each({count},
             [&](const Scalars &number) { copySlice(loops, input, axis, firstOf(number[0]), list, number[0], sizes); });
  loops.store(toInteger(loops, count), out[4], {});
  return success();
}
