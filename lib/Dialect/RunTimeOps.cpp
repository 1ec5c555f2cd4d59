// Ops on what ONNX makes an input though it decides shapes: the shape is known from elsewhere, the values come at run
// time, and a truth says whether they fit. Nothing is read or written outside a buffer whatever the values are.
#include "Indices.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;

static Type truthType(MLIRContext *context) { return RankedTensorType::get({}, IntegerType::get(context, 1)); }

/// Element i of a vector, or the one element of a scalar.
static Scalar element(ScalarLoops &loops, Value vector, int64_t i) {
  bool isScalar = cast<MemRefType>(vector.getType()).getRank() == 0;
  return loops.load(vector, isScalar ? Scalars() : Scalars{loops.index(i)});
}

static int64_t lengthOf(Value vector) { return cast<ShapedType>(vector.getType()).getNumElements(); }

//===----------------------------------------------------------------------===//
// coat.matches, coat.names_axes
//===----------------------------------------------------------------------===//

LogicalResult MatchesOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkIndexVector(emitError, "input", op.getInput()))) // C1
    return failure();
  int64_t length = lengthOf(op.getInput()), choices = op.getChoices().size();
  if (length ? choices % length != 0 : choices != 0) // C2
    return emitError() << "expected as many choices for each of " << length << " elements, got " << choices;
  return success();
}

LogicalResult MatchesOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<MatchesOp>(context, location, op)))
    return failure();
  types.push_back(truthType(context));
  return success();
}

LogicalResult MatchesOp::reifyResultShapes(OpBuilder &, ReifiedRankedShapedTypeDims &shapes) {
  shapes.emplace_back();
  return success();
}

int64_t MatchesOp::getFlops() { return 0; }

LogicalResult MatchesOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Scalar all = truth(loops, true);
  int64_t length = lengthOf(in[0]), each = length ? getChoices().size() / length : 0;
  for (int64_t i = 0; i < length; ++i) {
    Scalar value = element(loops, in[0], i), any = truth(loops, false);
    for (int64_t choice : getChoices().slice(i * each, each))
      any = either(any, value == double(choice));
    all = all && any;
  }
  loops.store(all, out[0], {});
  return success();
}

LogicalResult NamesAxesOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkIndexVector(emitError, "axes", op.getAxes()))) // C1
    return failure();
  int64_t rank = op.getRank();
  if (rank < 0 || rank > 62) // C2
    return emitError() << "expected a rank of 0 to 62, got " << rank;
  return success();
}

LogicalResult NamesAxesOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<NamesAxesOp>(context, location, op)))
    return failure();
  types.push_back(truthType(context));
  return success();
}

LogicalResult NamesAxesOp::reifyResultShapes(OpBuilder &, ReifiedRankedShapedTypeDims &shapes) {
  shapes.emplace_back();
  return success();
}

int64_t NamesAxesOp::getFlops() { return 0; }

LogicalResult NamesAxesOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  // Bits of the dimensions that are named; one outside the rank, or one named twice, makes it no set.
  Scalar set = loops.index(0), valid = truth(loops, true), rank = loops.index(getRank());
  for (int64_t i = 0; i < lengthOf(in[0]); ++i) {
    Scalar axis = fromFront(loops.toIndex(element(loops, in[0], i)), rank), named = truth(loops, false);
    for (int64_t dim = 0; dim < int64_t(getRank()); ++dim) {
      Scalar bit = loops.index(int64_t(1) << dim), isDim = axis == double(dim), isThere = set / bit % 2 == 1.0;
      named = either(named, isDim && isThere == 0.0);
      set = select(isDim && isThere == 0.0, set + bit, set);
    }
    valid = valid && named;
  }
  Scalar any = truth(loops, false);
  for (int64_t known : getSets())
    any = either(any, set == loops.index(known));
  loops.store(valid && any, out[0], {});
  return success();
}

//===----------------------------------------------------------------------===//
// coat.slice_at, coat.pad_at
//===----------------------------------------------------------------------===//

static LogicalResult checkSizes(EmitError emitError, Value input, ArrayRef<int64_t> sizes) {
  bool valid = int64_t(sizes.size()) == tensorType(input).getRank() &&
               llvm::all_of(sizes, [](int64_t size) { return size >= 0; });
  if (valid)
    return success();
  return emitError() << "expected " << tensorType(input).getRank() << " sizes of at least 0, got "
                     << formatShape(sizes);
}

LogicalResult SliceAtOp::checkConstraints(Adaptor op, EmitError emitError) {
  for (auto [name, value] : {std::pair("starts", op.getStarts()), std::pair("ends", op.getEnds()),
                             std::pair("axes", op.getAxes()), std::pair("steps", op.getSteps())}) { // C1
    if (failed(checkIndexVector(emitError, name, value)))
      return failure();
    if (lengthOf(value) != lengthOf(op.getStarts()))
      return emitError() << "expected as many " << name << " as starts, " << lengthOf(op.getStarts()) << ", got "
                         << lengthOf(value);
  }
  return checkSizes(emitError, op.getInput(), op.getSizes()); // C2
}

template <typename OpT>
static LogicalResult inferSized(MLIRContext *context, std::optional<Location> location, typename OpT::Adaptor op,
                                SmallVectorImpl<Type> &types) {
  if (failed(checkedInference<OpT>(context, location, op)))
    return failure();
  types.push_back(RankedTensorType::get(op.getSizes(), tensorType(op.getInput()).getElementType()));
  types.push_back(truthType(context));
  return success();
}

LogicalResult SliceAtOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  return inferSized<SliceAtOp>(context, location, op, types);
}

LogicalResult SliceAtOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getAsIndexOpFoldResult(getContext(), getSizes()));
  shapes.emplace_back();
  return success();
}

int64_t SliceAtOp::getFlops() { return 0; }

namespace {
/// One dimension of a slice: element i of the result is element start + i * step.
struct Cut {
  Scalar start, step, count;
};
} // namespace

/// The rules of ONNX for one bound pair of a dimension of `size` elements.
static Cut cut(Scalar start, Scalar end, Scalar step, Scalar size) {
  Scalar zero = size.constant(0), last = size - 1, forward = zero < step;
  start = fromFront(start, size);
  end = fromFront(end, size);
  start = select(forward, clamp(start, zero, size), clamp(start, zero, max(last, zero)));
  end = select(forward, clamp(end, zero, size), clamp(end, size.constant(-1), last));
  Scalar way = select(forward, end - start, start - end), stride = max(select(forward, step, -step), zero.constant(1));
  return {start, step, select(zero < way, (way - 1) / stride + 1, zero)};
}

LogicalResult SliceAtOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], result = out[0];
  int64_t rank = getSizes().size();
  Scalar fits = truth(loops, true);
  SmallVector<Cut> cuts;
  for (Scalar size : loops.dims(input))
    cuts.push_back({loops.index(0), loops.index(1), size});
  for (int64_t i = 0; i < lengthOf(in[1]); ++i) {
    auto number = [&](unsigned operand) { return loops.toIndex(element(loops, in[operand], i)); };
    Scalar axis = fromFront(number(3), loops.index(rank)), step = number(4);
    fits = fits && axis >= 0.0 && axis < loops.index(rank) && (step == 0.0) == 0.0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      Cut own = cut(number(1), number(2), step, loops.dim(input, dim));
      Scalar isDim = axis == double(dim);
      cuts[dim] = {select(isDim, own.start, cuts[dim].start), select(isDim, own.step, cuts[dim].step),
                   select(isDim, own.count, cuts[dim].count)};
    }
  }
  for (auto [dim, size] : llvm::enumerate(getSizes()))
    fits = fits && cuts[dim].count == double(size);
  loops.store(fits, out[1], {});
  loops.ifTrue(fits, [&] {
    loops.each(loops.dims(result), [&](const Scalars &at) {
      Scalars from;
      for (auto [index, own] : llvm::zip_equal(at, cuts))
        from.push_back(own.start + index * own.step);
      loops.storeElement(loops.loadElement(input, from), result, at);
    });
  });
  return success();
}

LogicalResult PadAtOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkIndexVector(emitError, "pads", op.getPads())) ||
      failed(checkIndexVector(emitError, "axes", op.getAxes())))
    return failure();
  if (lengthOf(op.getPads()) != 2 * lengthOf(op.getAxes())) // C1
    return emitError() << "expected " << 2 * lengthOf(op.getAxes()) << " pads, got " << lengthOf(op.getPads());
  RankedTensorType value = tensorType(op.getValue());
  if (!value.hasStaticShape() || value.getNumElements() != 1 ||
      value.getElementType() != tensorType(op.getInput()).getElementType()) // C3
    return emitError() << "expected a value of one element of the input's type, got " << value;
  return checkSizes(emitError, op.getInput(), op.getSizes()); // C2
}

LogicalResult PadAtOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                        SmallVectorImpl<Type> &types) {
  return inferSized<PadAtOp>(context, location, op, types);
}

LogicalResult PadAtOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getAsIndexOpFoldResult(getContext(), getSizes()));
  shapes.emplace_back();
  return success();
}

int64_t PadAtOp::getFlops() { return 0; }

/// The position in a dimension of `size` elements that an edge, reflect or wrap pad takes for `position`.
static Scalar sourceOf(PadMode mode, Scalar position, Scalar size) {
  Scalar zero = size.constant(0), one = size.constant(1), last = max(size - 1, zero);
  if (mode == PadMode::constant)
    return position;
  if (mode == PadMode::edge)
    return clamp(position, zero, last);
  Scalar period = mode == PadMode::wrap ? max(size, one) : max(last * 2, one);
  Scalar inside = (position % period + period) % period;
  return mode == PadMode::wrap ? inside : min(inside, period - inside);
}

LogicalResult PadAtOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  Value input = in[0], result = out[0];
  int64_t rank = getSizes().size(), count = lengthOf(in[2]);
  Scalar fits = truth(loops, true);
  Scalars lows(rank, loops.index(0)), highs = lows;
  for (int64_t i = 0; i < count; ++i) {
    auto number = [&](unsigned operand, int64_t at) { return loops.toIndex(element(loops, in[operand], at)); };
    Scalar axis = fromFront(number(2, i), loops.index(rank)), low = number(1, i), high = number(1, count + i);
    fits = fits && axis >= 0.0 && axis < loops.index(rank);
    for (int64_t dim = 0; dim < rank; ++dim) {
      Scalar isDim = axis == double(dim);
      lows[dim] = select(isDim, low, lows[dim]);
      highs[dim] = select(isDim, high, highs[dim]);
    }
  }
  for (auto [dim, size] : llvm::enumerate(getSizes())) {
    fits = fits && lows[dim] + highs[dim] + loops.dim(input, dim) == double(size);
    if (getMode() == PadMode::reflect || getMode() == PadMode::wrap)
      fits = fits && lows[dim] >= 0.0 && highs[dim] >= 0.0;
  }
  loops.store(fits, out[1], {});
  Scalar value = element(loops, in[3], 0);
  loops.each(loops.dims(result), [&](const Scalars &at) {
    Scalars from;
    Scalar inside = truth(loops, true);
    for (int64_t dim = 0; dim < rank; ++dim) {
      Scalar size = loops.dim(input, dim), source = sourceOf(getMode(), at[dim] - lows[dim], size);
      inside = inside && source >= 0.0 && source < size;
      from.push_back(source);
    }
    Scalar taken = loops.ifElse(inside, [&] { return loops.load(input, from); }, [&] { return value; });
    loops.store(taken, result, at);
  });
  return success();
}
