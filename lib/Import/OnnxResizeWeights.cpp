// Resizing by a table of weights along each dimension: antialiasing filters and tf_crop_and_resize, whose taps differ
// from one output element to the next. A product with the table is exact to the formula and as fast as any matmul.
#include "OnnxResize.h"
#include "OnnxTables.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

/// Where output element `o` lies in the input.
static double coordinate(const ResizeAxis &axis, double o) {
  double input = double(axis.input), length = axis.scale * input;
  double centered = (o + 0.5) / axis.scale - 0.5;
  if (!axis.coordinates) { // tf_crop_and_resize
    double extent = (axis.cropEnd - axis.cropBegin) * (input - 1);
    return axis.cropBegin * (input - 1) + (length > 1 ? o * extent / (length - 1) : extent / 2);
  }
  switch (*axis.coordinates) {
  case CoordinateMode::half_pixel:
    return centered;
  case CoordinateMode::asymmetric:
    return o / axis.scale;
  case CoordinateMode::align_corners:
    return length > 1 ? o * (input - 1) / (length - 1) : 0;
  case CoordinateMode::pytorch_half_pixel:
    return length > 1 ? centered : 0;
  case CoordinateMode::half_pixel_symmetric:
    return centered + input / 2 * (1 - double(axis.output) / length);
  }
  llvm_unreachable("unknown coordinates");
}

/// What an element at `distance` weighs.
static double kernel(const ResizeFilter &filter, double distance) {
  double x = std::abs(distance), a = filter.cubicCoefficient;
  if (filter.mode == ResizeMode::linear)
    return std::max(1 - x, 0.0);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static int64_t nearest(NearestMode mode, double x) {
  switch (mode) {
  case NearestMode::round_prefer_floor:
    return int64_t(std::ceil(x - 0.5));
  case NearestMode::round_prefer_ceil:
    return int64_t(std::floor(x + 0.5));
  case NearestMode::floor:
    return int64_t(std::floor(x));
  case NearestMode::ceil:
    return int64_t(std::ceil(x));
  }
  llvm_unreachable("unknown rounding");
}

/// The weights of all input elements for the output element at `x`: those outside count as the nearest one, or not.
static std::vector<double> weightsAt(const ResizeAxis &axis, const ResizeFilter &filter, double x) {
  std::vector<double> weights(axis.input, 0.0);
  auto clamped = [&](int64_t element) { return std::clamp<int64_t>(element, 0, axis.input - 1); };
  if (filter.mode == ResizeMode::nearest) {
    weights[clamped(nearest(filter.nearest, x))] = 1;
    return weights;
  }
  double scale = filter.antialias ? std::min(axis.scale, 1.0) : 1, total = 0;
  int64_t reach = int64_t(std::ceil((filter.mode == ResizeMode::linear ? 1 : 2) / scale));
  for (int64_t element = int64_t(std::floor(x)) - reach; element <= int64_t(std::ceil(x)) + reach; ++element) {
    bool inside = 0 <= element && element < axis.input;
    double weight = filter.excludeOutside && !inside ? 0 : kernel(filter, scale * (double(element) - x));
    weights[clamped(element)] += weight;
    total += weight;
  }
  for (double &weight : weights)
    weight /= total == 0 ? 1 : total;
  return weights;
}

/// weights [O, I] times the dimension: [.., I, ..] -> [.., O, ..].
static Value multiply(NodeImporter &node, Value value, const ResizeAxis &axis, Value matrix) {
  SmallVector<AffineExpr> shape = node.dims(value);
  ArrayRef<AffineExpr> all = shape;
  AffineExpr before = node.symbols.product(all.take_front(axis.axis)),
             after = node.symbols.product(all.drop_front(axis.axis + 1));
  Value result;
  if (axis.axis == int64_t(shape.size()) - 1)
    result = node.emit<MatmulOp>({node.reshape(value, {before, shape.back()}), matrix}, node.unit("transpose_rhs"));
  else
    result = node.emit<MatmulOp>({matrix, node.reshape(value, {before, shape[axis.axis], after})});
  shape[axis.axis] = node.number(axis.output);
  return node.reshape(result, shape);
}

/// `fill` where the output lies outside the input along this dimension.
static Value extrapolate(NodeImporter &node, Value value, const ResizeAxis &axis, Value outside, double fill,
                         Type type) {
  if (!value || !outside)
    return value;
  SmallVector<AffineExpr> shape(node.dims(value).size() - axis.axis, node.number(1));
  shape[0] = node.number(axis.output);
  Value mask = node.reshape(outside, shape);
  return node.elementwise(ElementwiseKind::select, {mask, node.scalar(fill, type), value});
}

/// The weights [O, I], and where outputs lie outside the input [O], if any do.
static std::pair<Value, Value> weightsOf(NodeImporter &node, const ResizeAxis &axis, const ResizeFilter &filter,
                                         Type type) {
  std::vector<double> weights;
  SmallVector<bool> outside;
  for (int64_t o = 0; o < axis.output; ++o) {
    double x = coordinate(axis, double(o));
    outside.push_back(!axis.coordinates && (x < 0 || x > double(axis.input - 1)));
    llvm::append_range(weights, weightsAt(axis, filter, std::clamp(x, -double(axis.input), 2.0 * double(axis.input))));
  }
  auto maskType = RankedTensorType::get(axis.output, IntegerType::get(node.context, 1));
  bool any = llvm::is_contained(outside, true);
  return {table(node, {axis.output, axis.input}, weights, type),
          any ? node.constant(DenseElementsAttr::get(maskType, outside)) : Value()};
}

/// The same where a run says which part, by the formula of `coordinate`, in its order: what ends on an element exactly
/// there does so here.
static std::pair<Value, Value> cropAtRunTime(NodeImporter &node, const ResizeAxis &axis, const ResizeFilter &filter,
                                             Type type) {
  using Kind = ElementwiseKind;
  Type f32 = node.builder.getF32Type();
  auto apply = [&](Kind kind, ValueRange operands) { return node.elementwise(kind, operands); };
  auto number = [&](double value) { return node.scalar(value, f32); };
  double length = axis.scale * double(axis.input), last = double(axis.input - 1);
  std::vector<double> parts, places;
  for (int64_t o = 0; o < axis.output; ++o)
    parts.push_back(length > 1 ? double(o) : 1);
  for (int64_t i = 0; i < axis.input; ++i)
    places.push_back(double(i));
  Value begin = node.slice(axis.crop, 0, node.number(0), node.number(1)),
        end = node.slice(axis.crop, 0, node.number(1), node.number(1));
  begin = node.reshape(begin, {node.number(1), node.number(1)});
  end = node.reshape(end, {node.number(1), node.number(1)});
  Value part = table(node, {axis.output, 1}, parts, f32), place = table(node, {1, axis.input}, places, f32);
  Value extent = apply(Kind::mul, {apply(Kind::sub, {end, begin}), number(last)});
  Value x = apply(Kind::div, {apply(Kind::mul, {part, extent}), number(length > 1 ? length - 1 : 2)});
  x = apply(Kind::add, {apply(Kind::mul, {begin, number(last)}), x});
  Value outside = apply(Kind::logical_or, {apply(Kind::less, {x, number(0)}), apply(Kind::greater, {x, number(last)})});
  outside = node.reshape(outside, node.number(axis.output));
  if (filter.mode == ResizeMode::nearest) {
    bool floor = filter.nearest == NearestMode::floor || filter.nearest == NearestMode::round_prefer_ceil;
    double shift = filter.nearest == NearestMode::round_prefer_floor  ? -0.5
                   : filter.nearest == NearestMode::round_prefer_ceil ? 0.5
                                                                      : 0;
    Value nearest = node.elementwise(floor ? Kind::floor : Kind::ceil, apply(Kind::add, {x, number(shift)}));
    nearest = node.elementwise(Kind::clip, nearest, 0.0, last);
    return {node.convert(apply(Kind::equal, {nearest, place}), type), outside};
  }
  Value distance = node.elementwise(Kind::abs, apply(Kind::sub, {node.elementwise(Kind::clip, x, 0.0, last), place}));
  Value weights = node.elementwise(Kind::relu, apply(Kind::sub, {number(1), distance}));
  return {node.convert(weights, type), outside};
}

Value coat::onnx::resizeByWeights(NodeImporter &node, Value value, ArrayRef<ResizeAxis> axes,
                                  const ResizeFilter &filter) {
  Type type = node.elementType(0);
  if (!node.failed() && !isa<FloatType>(type))
    node.refuse("expected a floating-point input with antialias or tf_crop_and_resize, got another");
  for (const ResizeAxis &axis : axes) {
    if (elementCount({axis.output, axis.input}).value_or(INT64_MAX) > maxTableElements)
      node.refuse("expected at most " + Twine(maxTableElements) + " weights a dimension, got " + Twine(axis.input) +
                  " times " + Twine(axis.output));
    if (node.failed() || !value)
      return {};
    auto [weights, outside] = axis.crop ? cropAtRunTime(node, axis, filter, type) : weightsOf(node, axis, filter, type);
    value = multiply(node, value, axis, weights);
    value = extrapolate(node, value, axis, outside, filter.extrapolation, type);
  }
  return value;
}
