// Resize (opset 10 to 19) and Upsample (7 to 9).
#include "Node.h"
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

static CoordinateMode readCoordinates(NodeImporter &node) {
  if (node.opset() < 11)
    return CoordinateMode::asymmetric;
  std::string mode = node.string("coordinate_transformation_mode", "half_pixel");
  if (auto known = symbolizeCoordinateMode(mode))
    return *known;
  node.refuse("attribute 'coordinate_transformation_mode': expected half_pixel, half_pixel_symmetric, "
              "pytorch_half_pixel, align_corners or asymmetric, got " +
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

/// Scales as a known input.
static SmallVector<double> readScales(NodeImporter &node, unsigned input) {
  SmallVector<double> scales;
  const Known *known = node.known(input);
  if (!known || !known->isFloat())
    node.refuse("expected constant scales, got a value computed at run time");
  else
    for (const Scalar &element : known->elements)
      scales.push_back(element.number);
  return scales;
}

static bool isPresent(NodeImporter &node, unsigned input) {
  return node.has(input) && !(node.type(input) && node.type(input).getNumElements() == 0);
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
    target.sizes[axis] = int64_t(std::floor(scale * double(*constantOf(dims[axis])) + 0.5));
  }
}

static void fromSizes(NodeImporter &node, ArrayRef<int64_t> axes, ArrayRef<AffineExpr> dims, Target &target) {
  SmallVector<AffineExpr> sizes = node.sizes(3, "sizes");
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
      target.sizes[axis] = int64_t(std::floor(double(*from) * scale));
  }
}

static void emitResize(NodeImporter &node, Target &target, ResizeMode mode) {
  CoordinateMode coordinates = readCoordinates(node);
  NearestMode nearest = readNearest(node);
  double coefficient = node.real("cubic_coeff_a", -0.75);
  node.ignore("extrapolation_value"); // of tf_crop_and_resize, which is refused
  node.only("antialias", 0);
  SmallVector<NamedAttribute> attributes = {
      node.attr("scales", DenseF64ArrayAttr::get(node.context, target.scales)),
      node.attr("sizes", target.sizes),
      node.attr("mode", ResizeModeAttr::get(node.context, mode)),
      node.attr("coordinate_mode", CoordinateModeAttr::get(node.context, coordinates)),
      node.attr("nearest_mode", NearestModeAttr::get(node.context, nearest)),
      node.attr("cubic_coeff", coefficient)};
  if (node.integer("exclude_outside", 0) != 0)
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
    fromScales(node, readScales(node, 1), axes, dims, target);
  else if (isPresent(node, 2))
    fromScales(node, readScales(node, 2), axes, dims, target);
  else
    fromSizes(node, axes, dims, target);
  emitResize(node, target, mode);
}

/// Scales are an attribute at opset 7, an input at 9.
static void importUpsample(NodeImporter &node) {
  ResizeMode mode = readMode(node);
  SmallVector<AffineExpr> dims = node.dims(0);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  Target target{SmallVector<double>(dims.size(), 1.0), SmallVector<int64_t>(dims.size(), -1)};
  fromScales(node, node.opset() < 9 ? node.reals("scales") : readScales(node, 1), axes, dims, target);
  emitResize(node, target, mode);
}

ArrayRef<Handler> coat::onnx::resizeHandlers() {
  static const Handler rows[] = {
      {"Resize", 10, newest, importResize},
      {"Upsample", 7, 9, importUpsample},
  };
  return rows;
}
