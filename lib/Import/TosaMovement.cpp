// TOSA: ops that move elements, and resize.
#include "Mlir.h"
#include "coat/Dialect/IndexOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include <numeric>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static void importConcat(MlirNode node) {
  SmallVector<Value> parts;
  for (unsigned input = 0; input < node->numInputs(); ++input)
    parts.push_back(node->tensor(input));
  node->set(0, node->concat(parts, node.as<tosa::ConcatOp>().getAxis()));
}

/// Pairs of numbers of elements before and behind each dimension.
static void importPad(MlirNode node) {
  SmallVector<int64_t> pads = node->integers(1, "padding"), low, high;
  auto value = uniformValue(node->tensor(2u));
  if (!value)
    return node->refuse("expected padding by a constant, got a value computed at run time");
  for (size_t i = 0; i + 1 < pads.size(); i += 2) {
    low.push_back(pads[i]);
    high.push_back(pads[i + 1]);
  }
  auto mode = PadModeAttr::get(node->context, PadMode::constant);
  node->set(0, node->emit<PadOp>(node->tensor(0u), {node->attr("mode", mode), node->attr("low", low),
                                                    node->attr("high", high), node->attr("value", *value)}));
}

/// A size of -1 is what the others leave.
static void importReshape(MlirNode node) {
  Value x = node->tensor(0u);
  SmallVector<AffineExpr> shape = node->sizes(1, "a shape");
  if (!x || node->failed())
    return;
  AffineExpr others = node->number(1), all = node->symbols.product(node->dims(x));
  for (AffineExpr size : shape)
    others = constantOf(size) == -1 ? others : node->symbols.product({others, size});
  for (AffineExpr &size : shape)
    size = constantOf(size) == -1 ? node->symbols.floorDiv(all, others) : size;
  node->set(0, node->reshape(x, shape));
}

static void importReverse(MlirNode node) {
  Value x = node->tensor(0u);
  int64_t axis = node.as<tosa::ReverseOp>().getAxis();
  if (!x)
    return;
  AffineExpr size = node->dims(x)[axis];
  auto count = constantOf(size);
  if (!count)
    return node->refuse("expected a static size of the dimension, got a symbolic one");
  auto positions = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, *count)));
  auto type = RankedTensorType::get(*count, node->builder.getI64Type());
  Value indices = node->constant(DenseElementsAttr::get(type, ArrayRef(positions)));
  node->set(0, node->emit<GatherOp>({x, indices}, node->attr("axis", axis)));
}

static void importSlice(MlirNode node) {
  SmallVector<AffineExpr> start = node->sizes(1, "a start"), size = node->sizes(2, "a size");
  node->set(0, node->slice(node->tensor(0u), start, size, SmallVector<int64_t>(start.size(), 1)));
}

static void importTile(MlirNode node) {
  Value x = node->tensor(0u);
  SmallVector<AffineExpr> repeats = node->sizes(1, "multiples"), apart, spread, shape;
  if (!x || node->failed())
    return;
  for (auto [size, times] : llvm::zip(node->dims(x), repeats)) {
    apart.append({node->number(1), size});
    spread.append({times, size});
    shape.push_back(node->symbols.product({times, size}));
  }
  node->set(0, node->reshape(node->broadcast(node->reshape(x, apart), spread), shape));
}

static void importTranspose(MlirNode node) {
  auto permutation = llvm::to_vector_of<int64_t>(node.as<tosa::TransposeOp>().getPerms());
  node->set(0, node->transpose(node->tensor(0u), permutation));
}

/// [N, K, C] by indices [N, W] to [N, W, C].
static void importGather(MlirNode node) {
  Value indices = node->tensor(1u);
  if (!indices)
    return;
  SmallVector<AffineExpr> shape = node->dims(indices);
  shape.push_back(node->number(1));
  node->set(0, node->emit<GatherNDOp>({node->tensor(0u), node->reshape(indices, shape)},
                                      node->attr("batch_dims", int64_t(1))));
}

/// Rows [N, W, C] put into [N, K, C] where indices [N, W] say.
static void importScatter(MlirNode node) {
  Value indices = node->tensor(1u);
  if (!indices)
    return;
  SmallVector<AffineExpr> shape = node->dims(indices), column = shape;
  column.push_back(node->number(1));
  Value batch = node->convert(node->positions(shape[0]), MlirNode::elementOf(indices));
  batch = node->broadcast(node->reshape(batch, {shape[0], node->number(1)}), shape);
  Value tuples = node->concat({node->reshape(batch, column), node->reshape(indices, column)}, 2);
  auto kind = node->attr("kind", ScatterKindAttr::get(node->context, ScatterKind::replace));
  node->set(0, node->emit<ScatterNDOp>({node->tensor(0u), tuples, node->tensor(2u)}, kind));
}

/// Input y = (output y * d + offset) / n: from the corner, or from the middle of the elements.
static void importResize(MlirNode node) {
  auto op = node.as<tosa::ResizeOp>();
  SmallVector<int64_t> scale = node->integers(1, "scale"), offset = node->integers(2, "offset");
  Value x = node->tensor(0u);
  auto declared = cast<RankedTensorType>(op.getType());
  if (!x || node->failed())
    return;
  bool nearest = op.getMode() == tosa::ResizeMode::NEAREST_NEIGHBOR;
  if (!nearest && !isa<FloatType>(node.declaredElement()))
    return node->refuse("expected floating-point elements or mode NEAREST_NEIGHBOR, got BILINEAR of integers");
  SmallVector<double> scales = {1, 0, 0, 1};
  SmallVector<int64_t> sizes(4, -1);
  bool corner = offset[0] == 0 && offset[1] == 0, middle = true;
  for (int64_t i : {0, 1}) {
    scales[1 + i] = double(scale[2 * i]) / double(scale[2 * i + 1]);
    middle &= 2 * offset[i] == scale[2 * i + 1] - scale[2 * i];
    sizes[1 + i] = declared.getDimSize(1 + i);
  }
  for (int64_t dim : {0, 3})
    sizes[dim] = constantOf(node->dims(x)[dim]).value_or(-1);
  if (ShapedType::isDynamic(sizes[1]) || ShapedType::isDynamic(sizes[2]))
    return node->refuse("expected static sizes of the image, got symbolic ones");
  if (!corner && !middle)
    return node->refuse("operand 'offset': expected 0, or half of the scales' difference, got others");
  auto coordinates = corner ? CoordinateMode::asymmetric : CoordinateMode::half_pixel;
  node->set(0,
            node->emit<ResizeOp>(
                x, {node->attr("scales", node->builder.getDenseF64ArrayAttr(scales)), node->attr("sizes", sizes),
                    node->attr("mode",
                               ResizeModeAttr::get(node->context, nearest ? ResizeMode::nearest : ResizeMode::linear)),
                    node->attr("coordinate_mode", CoordinateModeAttr::get(node->context, coordinates)),
                    node->attr("nearest_mode", NearestModeAttr::get(node->context, NearestMode::round_prefer_ceil))}));
}

ArrayRef<Handler> coat::onnx::tosaMovementHandlers() {
  static const Handler rows[] = {
      {"tosa.concat", 1, newest, mlirOp<importConcat>},       {"tosa.pad", 1, newest, mlirOp<importPad>},
      {"tosa.reshape", 1, newest, mlirOp<importReshape>},     {"tosa.reverse", 1, newest, mlirOp<importReverse>},
      {"tosa.slice", 1, newest, mlirOp<importSlice>},         {"tosa.tile", 1, newest, mlirOp<importTile>},
      {"tosa.transpose", 1, newest, mlirOp<importTranspose>}, {"tosa.gather", 1, newest, mlirOp<importGather>},
      {"tosa.scatter", 1, newest, mlirOp<importScatter>},     {"tosa.resize", 1, newest, mlirOp<importResize>},
  };
  return rows;
}
