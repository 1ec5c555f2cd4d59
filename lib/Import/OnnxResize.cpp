// Resize (opset 10 to 19) and Upsample (7 to 9).
#include "OnnxResize.h"
#include "Declared.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {
/// Scale and output size of every dimension; a symbolic dimension has a scale only.
struct Target {
  SmallVector<double> scales;
  SmallVector<int64_t> sizes; // -1: follows from the scale
};
} // namespace

static ResizeMode readMode(NodeImporter &node) {
  std::string mode = node.string("mode", "nearest");
  if (mode == "nearest")
    return ResizeMode::nearest;
  if (mode == "linear" || mode == "bilinear")
    return ResizeMode::linear;
  if (mode != "cubic" || node.opset() < 11)
    node.fail("attribute 'mode': expected nearest, linear or cubic, got " + mode);
  return ResizeMode::cubic;
}

/// None for tf_crop_and_resize.
static std::optional<CoordinateMode> readCoordinates(NodeImporter &node) {
  if (node.opset() < 11)
    return CoordinateMode::asymmetric;
  std::string mode = node.string("coordinate_transformation_mode", "half_pixel");
  if (mode == "tf_crop_and_resize")
    return std::nullopt;
  if (auto known = symbolizeCoordinateMode(mode))
    return *known;
  node.refuse("attribute 'coordinate_transformation_mode': expected half_pixel, half_pixel_symmetric, "
              "pytorch_half_pixel, align_corners, asymmetric or tf_crop_and_resize, got " +
              mode);
  return CoordinateMode::half_pixel;
}

/// Before opset 11 a coordinate is rounded down.
static NearestMode readNearest(NodeImporter &node) {
  if (node.opset() < 11)
    return NearestMode::floor;
  std::string mode = node.string("nearest_mode", "round_prefer_floor");
  if (auto known = symbolizeNearestMode(mode))
    return *known;
  node.fail("attribute 'nearest_mode': expected round_prefer_floor, round_prefer_ceil, floor or ceil, got " + mode);
  return NearestMode::floor;
}

/// A known input of floating-point numbers.
static SmallVector<double> readNumbers(NodeImporter &node, unsigned input, StringRef what) {
  SmallVector<double> numbers;
  const Known *known = node.known(input);
  if (!known || !known->isFloat())
    node.refuse("expected constant " + what + ", got a value computed at run time");
  else
    for (const Scalar &element : known->elements)
      numbers.push_back(element.number);
  return numbers;
}

static bool isPresent(NodeImporter &node, unsigned input) {
  return node.has(input) && !(node.type(input) && node.type(input).getNumElements() == 0);
}

int64_t coat::onnx::resizedSize(NodeImporter &node, double size) {
  if (size >= 1 && size <= double(INT32_MAX))
    return int64_t(size);
  node.fail("expected sizes from 1 to 2^31 - 1, got " + std::to_string(size));
  return 1;
}

/// keep_aspect_ratio_policy: one scale for all resized dimensions, the smallest or largest of the wished ones.
static void keepAspectRatio(NodeImporter &node, ArrayRef<int64_t> axes, ArrayRef<AffineExpr> dims, Target &target) {
  std::string policy = node.string("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch")
    return;
  if (policy != "not_larger" && policy != "not_smaller")
    node.fail("attribute 'keep_aspect_ratio_policy': expected stretch, not_larger or not_smaller, got " + policy);
  double scale = target.scales[axes.front()];
  for (int64_t axis : axes)
    scale = policy == "not_larger" ? std::min(scale, target.scales[axis]) : std::max(scale, target.scales[axis]);
  for (int64_t axis : axes) {
    target.scales[axis] = scale;
    target.sizes[axis] = resizedSize(node, std::floor(scale * double(*constantOf(dims[axis])) + 0.5));
  }
}

static void fromSizes(NodeImporter &node, ArrayRef<int64_t> axes, ArrayRef<AffineExpr> dims, Target &target) {
  bool stretches = !node.hasAttribute("keep_aspect_ratio_policy");
  SmallVector<AffineExpr> sizes = stretches ? sizesOrDeclared(node, 3, "sizes", axes) : node.sizes(3, "sizes");
  if (!node.failed() && sizes.size() != axes.size())
    node.fail("expected " + Twine(axes.size()) + " sizes, got " + Twine(sizes.size()));
  if (node.failed())
    return;
  SmallVector<int64_t> changed;
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    if (size == dims[axis] && !constantOf(size))
      continue; // a symbolic size that stays as it is
    auto from = constantOf(dims[axis]), to = constantOf(size);
    if (!from || !to) {
      auto ratio = node.symbols.quotient(size, dims[axis]);
      auto factor = ratio ? constantOf(ratio) : std::nullopt;
      if (!factor)
        return node.refuse("expected static sizes, got " + node.symbols.print(size) + " from " +
                           node.symbols.print(dims[axis]) + "; try --dim");
      target.scales[axis] = double(*factor);
      continue;
    }
    if (*from < 1 || *to < 1)
      return node.fail("expected sizes of at least 1, got " + Twine(*to) + " from " + Twine(*from));
    target.scales[axis] = double(*to) / double(*from);
    target.sizes[axis] = *to;
    changed.push_back(axis);
  }
  if (!changed.empty())
    keepAspectRatio(node, changed, dims, target);
}

static void fromScales(NodeImporter &node, ArrayRef<double> scales, ArrayRef<int64_t> axes, ArrayRef<AffineExpr> dims,
                       Target &target) {
  node.ignore("keep_aspect_ratio_policy"); // of sizes
  if (!node.failed() && scales.size() != axes.size())
    node.fail("expected " + Twine(axes.size()) + " scales, got " + Twine(scales.size()));
  if (node.failed())
    return;
  for (auto [axis, scale] : llvm::zip_equal(axes, scales)) {
    if (!(scale > 0 && scale < 1e6))
      return node.fail("expected positive scales, got " + std::to_string(scale));
    target.scales[axis] = scale;
    if (auto from = constantOf(dims[axis]))
      target.sizes[axis] = resizedSize(node, std::floor(double(*from) * scale));
  }
}

/// All of `axes`, each with its part of the input, which only a run knows.
static SmallVector<ResizeAxis> changedAtRunTime(NodeImporter &node, const Target &target, ArrayRef<int64_t> axes,
                                                ArrayRef<AffineExpr> dims, ResizeMode mode) {
  AffineExpr one = node.number(1), two = node.number(2), count = node.number(axes.size());
  Value roi = node.convert(node.tensor(1), node.builder.getF32Type());
  if (mode == ResizeMode::cubic)
    node.refuse("expected constant roi with mode cubic, got a value computed at run time");
  if (!node.failed() && node.dims(roi) != ArrayRef(node.symbols.product(two, count)))
    node.fail("expected a roi of " + Twine(2 * axes.size()) + " numbers, got " + node.print(node.dims(roi)));
  roi = node.reshape(roi, {two, count, one});
  SmallVector<ResizeAxis> changed;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    int64_t input = constantOf(dims[axis]).value_or(-1), output = target.sizes[axis];
    if (!node.failed() && (input < 1 || output < 1))
      node.refuse("expected static sizes of at least 1 with roi computed at run time, got others; try --dim");
    ResizeAxis entry{axis, input, output, target.scales[axis], std::nullopt};
    entry.crop = node.slice(roi, 1, node.number(index), one);
    changed.push_back(entry);
  }
  return changed;
}

/// The dimensions that change, each with its part of the input in tf_crop_and_resize: input 1 has their beginnings,
/// then their ends.
static SmallVector<ResizeAxis> changedAxes(NodeImporter &node, const Target &target, ArrayRef<int64_t> axes,
                                           ArrayRef<AffineExpr> dims, std::optional<CoordinateMode> coordinates,
                                           ResizeMode mode) {
  if (!coordinates && node.has(1) && comesAtRunTime(node, 1))
    return changedAtRunTime(node, target, axes, dims, mode);
  SmallVector<double> crop;
  if (!coordinates)
    crop = readNumbers(node, 1, "roi");
  if (!coordinates && !node.failed() && crop.size() != 2 * axes.size())
    node.fail("expected a roi of " + Twine(2 * axes.size()) + " numbers, got " + Twine(crop.size()));
  SmallVector<ResizeAxis> changed;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (node.failed())
      return {};
    ResizeAxis entry{axis, constantOf(dims[axis]).value_or(-1), target.sizes[axis], target.scales[axis], coordinates};
    if (!coordinates) {
      entry.cropBegin = crop[index];
      entry.cropEnd = crop[index + axes.size()];
    }
    bool whole = entry.cropBegin == 0 && entry.cropEnd == 1;
    if (entry.scale == 1 && entry.input == entry.output && whole)
      continue;
    if (entry.input < 1 || entry.output < 1)
      node.refuse("expected static sizes of at least 1 with antialias or tf_crop_and_resize, got others; try --dim");
    if (!(std::abs(entry.cropBegin) < 1e6 && std::abs(entry.cropEnd) < 1e6))
      node.fail("expected a roi of sensible numbers, got others");
    changed.push_back(entry);
  }
  return changed;
}

static void emitResize(NodeImporter &node, Target &target, ResizeMode mode, ArrayRef<int64_t> axes) {
  std::optional<CoordinateMode> coordinates = readCoordinates(node);
  NearestMode nearest = readNearest(node);
  double coefficient = node.real("cubic_coeff_a", -0.75), extrapolation = node.real("extrapolation_value", 0.0);
  bool antialias = node.opset() >= 18 && node.integer("antialias", 0) != 0 && mode != ResizeMode::nearest;
  bool excludeOutside = node.integer("exclude_outside", 0) != 0;
  if (antialias || !coordinates) {
    SmallVector<ResizeAxis> changed = changedAxes(node, target, axes, node.dims(0), coordinates, mode);
    return node.set(0, resizeByWeights(node, node.tensor(0), changed,
                                       {mode, nearest, coefficient, antialias, excludeOutside, extrapolation}));
  }
  SmallVector<NamedAttribute> attributes = {
      node.attr("scales", DenseF64ArrayAttr::get(node.context, target.scales)),
      node.attr("sizes", target.sizes),
      node.attr("mode", ResizeModeAttr::get(node.context, mode)),
      node.attr("coordinate_mode", CoordinateModeAttr::get(node.context, *coordinates)),
      node.attr("nearest_mode", NearestModeAttr::get(node.context, nearest)),
      node.attr("cubic_coeff", coefficient)};
  if (excludeOutside)
    attributes.push_back(node.unit("exclude_outside"));
  node.set(0, node.emit<ResizeOp>(node.tensor(0), attributes));
}

static void importResize(NodeImporter &node) {
  ResizeMode mode = readMode(node);
  SmallVector<AffineExpr> dims = node.dims(0);
  int64_t rank = dims.size();
  Target target{SmallVector<double>(rank, 1.0), SmallVector<int64_t>(rank, -1)};
  for (auto [axis, size] : llvm::enumerate(dims))
    target.sizes[axis] = constantOf(size).value_or(-1);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (node.opset() >= 18 && node.hasAttribute("axes"))
    axes = node.normalizeAxes(node.integers("axes"), rank);
  if (node.opset() < 11)
    fromScales(node, scalesOrDeclared(node, 1, axes), axes, dims, target);
  else if (isPresent(node, 2))
    fromScales(node, scalesOrDeclared(node, 2, axes), axes, dims, target);
  else
    fromSizes(node, axes, dims, target);
  emitResize(node, target, mode, axes);
}

/// Scales are an attribute at opset 7, an input at 9.
static void importUpsample(NodeImporter &node) {
  ResizeMode mode = readMode(node);
  SmallVector<AffineExpr> dims = node.dims(0);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  Target target{SmallVector<double>(dims.size(), 1.0), SmallVector<int64_t>(dims.size(), -1)};
  fromScales(node, node.opset() < 9 ? node.reals("scales") : scalesOrDeclared(node, 1, axes), axes, dims, target);
  emitResize(node, target, mode, axes);
}

ArrayRef<Handler> coat::onnx::resizeHandlers() {
  static const Handler rows[] = {
      {"Resize", 10, newest, importResize},
      {"Upsample", 7, 9, importUpsample},
  };
  return rows;
}
