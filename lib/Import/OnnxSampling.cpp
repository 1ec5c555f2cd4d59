// Ops that read an image at computed positions, or move it as a whole: GridSample, AffineGrid, RoiAlign, MaxRoiPool,
// DeformConv, Col2Im, CenterCropPad.
#include "Declared.h"
#include "OnnxTables.h"
#include "OnnxWindow.h"
#include "coat/Dialect/SamplingOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- grids ---===//

/// Modes are bilinear and bicubic until opset 19, linear and cubic later.
static void importGridSample(NodeImporter &node) {
  std::string mode = node.string("mode", node.opset() < 20 ? "bilinear" : "linear");
  std::string padding = node.string("padding_mode", "zeros");
  std::optional<ResizeMode> sampling = llvm::StringSwitch<std::optional<ResizeMode>>(mode)
                                           .Case("nearest", ResizeMode::nearest)
                                           .Cases({"linear", "bilinear"}, ResizeMode::linear)
                                           .Cases({"cubic", "bicubic"}, ResizeMode::cubic)
                                           .Default(std::nullopt);
  std::optional<PadMode> outside = llvm::StringSwitch<std::optional<PadMode>>(padding)
                                       .Case("zeros", PadMode::constant)
                                       .Case("border", PadMode::edge)
                                       .Case("reflection", PadMode::reflect)
                                       .Default(std::nullopt);
  if (!sampling)
    return node.fail("attribute 'mode': expected nearest, linear or cubic, got '" + mode + "'");
  if (!outside)
    return node.fail("attribute 'padding_mode': expected zeros, border or reflection, got '" + padding + "'");
  SmallVector<NamedAttribute> attributes = {node.attr("mode", ResizeModeAttr::get(node.context, *sampling)),
                                            node.attr("padding", PadModeAttr::get(node.context, *outside))};
  if (node.integer("align_corners", 0) != 0)
    attributes.push_back(node.unit("align_corners"));
  SmallVector<AffineExpr> image = node.dims(0), grid = node.dims(1);
  if (!node.failed() && !image.empty() && !grid.empty())
    node.requireEqual(image[0], grid[0], "batch sizes of input and grid");
  node.set(0, node.emit<GridSampleOp>({node.tensor(0), node.tensor(1)}, attributes));
}

/// The homogeneous coordinates (.., y, x, 1 in the order x, y, .., 1) of all elements of an image, [elements, k + 1].
static Value baseGrid(NodeImporter &node, ArrayRef<int64_t> size, bool alignCorners, Type type) {
  std::vector<double> numbers;
  forEachIndex(size, [&](ArrayRef<int64_t> index) {
    for (int64_t dim = size.size() - 1; dim >= 0; --dim) {
      double elements = double(size[dim]), at = double(index[dim]);
      double coordinate = !alignCorners ? (2 * at + 1) / elements - 1 : elements > 1 ? 2 * at / (elements - 1) - 1 : -1;
      numbers.push_back(coordinate);
    }
    numbers.push_back(1);
  });
  return table(node, {llvm::product_of(size), int64_t(size.size()) + 1}, numbers, type);
}

/// [N, k, k + 1] matrices times the coordinates of each element: [N, d1.., k].
static void importAffineGrid(NodeImporter &node) {
  bool alignCorners = node.integer("align_corners", 0) != 0;
  SmallVector<AffineExpr> sizes = imageOrDeclared(node, 1, "a size");
  Value theta = node.tensor(0);
  if (node.failed())
    return;
  int64_t spatial = int64_t(sizes.size()) - 2;
  SmallVector<AffineExpr> matrices = node.dims(0);
  if ((spatial != 2 && spatial != 3) || matrices.size() != 3 || matrices[1] != node.number(spatial) ||
      matrices[2] != node.number(spatial + 1))
    return node.fail("expected matrices [N, 2, 3] and 4 sizes, or [N, 3, 4] and 5, got " + node.print(matrices) +
                     " and " + Twine(sizes.size()));
  if (!node.requireEqual(matrices[0], sizes[0], "batch sizes of theta and size"))
    return;
  SmallVector<int64_t> image;
  for (AffineExpr size : ArrayRef(sizes).drop_front(2)) {
    auto number = constantOf(size);
    if (!number || *number < 1 || *number > 1 << 15)
      return node.refuse("expected static spatial sizes of 1 to 32768, got " + node.print(size) + "; try --dim");
    image.push_back(*number);
  }
  if (elementCount(image).value_or(INT64_MAX) > maxTableElements / 4)
    return node.refuse("expected a grid of at most " + Twine(maxTableElements / 4) + " elements, got " +
                       node.print(sizes));
  if (!isa<FloatType>(node.elementType(0)))
    return node.fail("expected floating-point matrices, got others");
  Value base = baseGrid(node, image, alignCorners, node.elementType(0));
  Value grid = node.emit<MatmulOp>({base, theta}, node.unit("transpose_rhs"));
  SmallVector<AffineExpr> shape = {matrices[0]};
  llvm::append_range(shape, ArrayRef(sizes).drop_front(2));
  shape.push_back(node.number(spatial));
  node.set(0, node.reshape(grid, shape));
}

//===--- regions ---===//

/// Until opset 15 positions are not moved by half an element.
static void importRoiAlign(NodeImporter &node) {
  std::string mode = node.string("mode", "avg");
  std::string transform =
      node.opset() < 16 ? "output_half_pixel" : node.string("coordinate_transformation_mode", "half_pixel");
  int64_t height = node.integer("output_height", 1), width = node.integer("output_width", 1);
  if (mode != "avg" && mode != "max")
    node.fail("attribute 'mode': expected avg or max, got '" + mode + "'");
  if (transform != "half_pixel" && transform != "output_half_pixel")
    node.fail("attribute 'coordinate_transformation_mode': expected half_pixel or output_half_pixel, got '" +
              transform + "'");
  if (height > 1 << 15 || width > 1 << 15)
    node.refuse("attributes 'output_height', 'output_width': expected at most 32768, got more");
  PoolKind kind = mode == "avg" ? PoolKind::average : PoolKind::max;
  SmallVector<NamedAttribute> attributes = {
      node.attr("kind", PoolKindAttr::get(node.context, kind)), node.attr("size", ArrayRef<int64_t>{height, width}),
      node.attr("samples", node.integer("sampling_ratio", 0)), node.attr("scale", node.real("spatial_scale", 1.0))};
  if (transform == "half_pixel")
    attributes.push_back(node.unit("half_pixel"));
  if (!node.failed() && node.rank(1) == 2 && node.rank(2) == 1)
    node.requireEqual(node.dims(1)[0], node.dims(2)[0], "numbers of rois and batch indices");
  node.set(0, node.emit<RoiAlignOp>({node.tensor(0), node.tensor(1), node.tensor(2)}, attributes));
}

static void importMaxRoiPool(NodeImporter &node) {
  SmallVector<int64_t> size = node.integers("pooled_shape");
  if (llvm::any_of(size, [](int64_t parts) { return parts > 1 << 15; }))
    node.refuse("attribute 'pooled_shape': expected at most 32768, got more");
  node.set(0, node.emit<MaxRoiPoolOp>({node.tensor(0), node.tensor(1)},
                                      {node.attr("size", size), node.attr("scale", node.real("spatial_scale", 1.0))}));
}

//===--- windows ---===//

/// The products of [N, O.., K.., C] columns with [M, C/group, K..] filters: [N, O.., M].
static Value multiplyColumns(NodeImporter &node, Value columns, int64_t group, int64_t spatial) {
  Value filter = node.tensor(1);
  if (node.failed() || !columns)
    return {};
  SmallVector<AffineExpr> filters = node.dims(1), shape = node.dims(columns);
  Symbols &symbols = node.symbols;
  auto kernel = ArrayRef(filters).drop_front(2);
  AffineExpr taps = symbols.product(kernel), perGroup = filters[1], groups = node.number(group);
  AffineExpr rows = symbols.product(ArrayRef(shape).take_front(1 + spatial)), summed = symbols.product(taps, perGroup);
  AffineExpr results = symbols.quotient(filters[0], groups);
  SmallVector<int64_t> toEnd = {0}; // M, K.., C/group
  llvm::append_range(toEnd, llvm::seq<int64_t>(2, 2 + spatial));
  toEnd.push_back(1);
  filter = node.reshape(node.transpose(filter, toEnd), {groups, results, summed});
  filter = node.transpose(filter, {0, 2, 1});
  columns = node.reshape(columns, {rows, taps, groups, perGroup});
  columns = node.reshape(node.transpose(columns, {2, 0, 1, 3}), {groups, rows, summed});
  if (group == 1) { // the form whose right-hand side is packed
    filter = node.reshape(filter, {summed, results});
    columns = node.reshape(columns, {rows, summed});
  }
  Value products = node.emit<MatmulOp>({columns, filter});
  if (group != 1)
    products = node.transpose(products, {1, 0, 2});
  SmallVector<AffineExpr> result(ArrayRef(shape).take_front(1 + spatial));
  result.push_back(filters[0]);
  return node.reshape(products, result);
}

/// Columns picked by the offsets, times the filter; channels-last in between, where a column is contiguous.
static void importDeformConv(NodeImporter &node) {
  RankedTensorType filter = node.type(1);
  if (!filter || !filter.hasStaticShape() || filter.getRank() < 3)
    return node.fail("expected a filter of rank 3 to 5 and static shape, got another");
  WindowAttributes window = readWindow(node, node.rank(0), filter.getShape().drop_front(2));
  int64_t group = node.integer("group", 1), offsetGroups = node.integer("offset_group", 1);
  SmallVector<AffineExpr> image = node.dims(0);
  Value input = node.tensor(0), offset = node.tensor(2);
  if (node.failed())
    return;
  auto channels = constantOf(image[1]);
  if (!channels || group < 1 || filter.getDimSize(1) * group != *channels || filter.getDimSize(0) % group != 0)
    return node.fail("expected group times the filter's channels of " + node.print(image[1]) + ", got " + Twine(group) +
                     " times " + Twine(filter.getDimSize(1)));
  int64_t spatial = image.size() - 2;
  SmallVector<int64_t> last = {0}, first = {0, spatial + 1};
  llvm::append_range(last, llvm::seq<int64_t>(2, 2 + spatial));
  last.push_back(1);
  llvm::append_range(first, llvm::seq<int64_t>(1, 1 + spatial));
  SmallVector<Value> operands = {node.transpose(input, last), offset};
  if (node.has(4))
    operands.push_back(node.tensor(4));
  Value columns =
      node.emit<DeformColumnsOp>(operands, {node.attr("kernel", window.kernel), node.attr("strides", window.strides),
                                            node.attr("dilations", window.dilations), node.attr("pads", window.pads),
                                            node.attr("groups", offsetGroups)});
  for (unsigned index : {2u, 4u}) // sizes that the op could not compare
    if (node.has(index) && columns)
      for (int64_t dim = 0; dim <= spatial && !node.failed(); ++dim)
        node.requireEqual(node.dims(index)[dim == 0 ? 0 : dim + 1], node.dims(columns)[dim],
                          "sizes of offset and result");
  Value result = multiplyColumns(node, columns, group, spatial);
  if (node.has(3))
    result = node.elementwise(ElementwiseKind::add, {result, node.tensor(3)});
  node.set(0, node.transpose(result, first));
}

static void importCol2Im(NodeImporter &node) {
  SmallVector<int64_t> image = node.integers(1, "image_shape"), kernel = node.integers(2, "block_shape");
  size_t spatial = image.size();
  auto list = [&](StringRef name, size_t count, int64_t fallback) {
    SmallVector<int64_t> values = node.integers(name);
    return values.empty() ? SmallVector<int64_t>(count, fallback) : values;
  };
  SmallVector<int64_t> strides = list("strides", spatial, 1), dilations = list("dilations", spatial, 1),
                       pads = list("pads", 2 * spatial, 0);
  for (ArrayRef<int64_t> values :
       {ArrayRef(image), ArrayRef(kernel), ArrayRef(strides), ArrayRef(dilations), ArrayRef(pads)})
    if (llvm::any_of(values, [](int64_t value) { return value < 0 || value > 1 << 20; }))
      return node.fail("expected sizes, strides, dilations and pads of 0 to 1048576, got others");
  node.set(0, node.emit<Col2ImOp>(node.tensor(0), {node.attr("image", image), node.attr("kernel", kernel),
                                                   node.attr("strides", strides), node.attr("dilations", dilations),
                                                   node.attr("pads", pads)}));
}

/// Slices where the result is smaller, zeros around where it is larger; of an odd difference the greater part is
/// behind.
static void importCenterCropPad(NodeImporter &node) {
  int64_t rank = node.rank(0);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (node.hasAttribute("axes"))
    axes = node.normalizeAxes(node.integers("axes"), rank);
  SmallVector<AffineExpr> wanted = sizesOrDeclared(node, 1, "a shape", axes);
  Value value = node.tensor(0);
  if (!node.failed() && wanted.size() != axes.size())
    node.fail("expected " + Twine(axes.size()) + " sizes, got " + Twine(wanted.size()));
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(0), offsets(rank, node.number(0));
  SmallVector<int64_t> low(rank, 0), high(rank, 0);
  for (auto [axis, size] : llvm::zip(axes, wanted)) {
    if (size == shape[axis])
      continue;
    auto from = constantOf(shape[axis]), to = constantOf(size);
    if (!from || !to || *to < 0)
      return node.refuse("expected static sizes, got " + node.print({shape[axis], size}) + "; try --dim");
    if (*to < *from)
      offsets[axis] = node.number((*from - *to) / 2);
    low[axis] = std::max<int64_t>(*to - *from, 0) / 2;
    high[axis] = std::max<int64_t>(*to - *from, 0) - low[axis];
    shape[axis] = node.number(std::min(*from, *to));
  }
  value = node.slice(value, offsets, shape, SmallVector<int64_t>(rank, 1));
  if (llvm::any_of(high, [](int64_t pad) { return pad > 0; }))
    value = node.emit<PadOp>(value, {node.attr("low", low), node.attr("high", high)});
  node.set(0, value);
}

ArrayRef<Handler> coat::onnx::samplingHandlers() {
  static const Handler rows[] = {
      {"AffineGrid", 20, newest, importAffineGrid}, {"CenterCropPad", 18, newest, importCenterCropPad},
      {"Col2Im", 18, newest, importCol2Im},         {"DeformConv", 19, newest, importDeformConv},
      {"GridSample", 16, newest, importGridSample}, {"MaxRoiPool", 1, newest, importMaxRoiPool},
      {"RoiAlign", 10, newest, importRoiAlign},
  };
  return rows;
}
