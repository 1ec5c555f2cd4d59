// Signals: DFT, STFT, windows, MelWeightMatrix. Of text there is only TfIdfVectorizer, in OnnxText.cpp.
//
// A transform of constant length is a product with its matrix of sines and cosines, so that all of them are matmul and
// conv, which are fast; a real or complex number is a row of one or two elements, as ONNX has it.
#include "Declared.h"
#include "OnnxTables.h"
#include "OnnxText.h"
#include <cmath>

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

namespace {
/// A linear map from `rows` numbers of `in` components to `columns` numbers of `out` components.
struct Transform {
  int64_t length, rows, columns, in, out;
  bool inverse = false;

  /// Whether the map fits a table.
  bool check(NodeImporter &node) const {
    auto count = elementCount({rows, columns, in, out});
    if (length >= 1 && count && *count <= maxTableElements)
      return true;
    node.refuse("expected a transform of at most " + Twine(maxTableElements) + " weights, got length " + Twine(length));
    return false;
  }

  /// What component `a` of number `row` adds to component `b` of number `column`: exp(-+2 pi i row column / length).
  double weight(int64_t row, int64_t a, int64_t column, int64_t b) const {
    double turn = 2 * M_PI * double(row * column % length) / double(length),
           sine = inverse ? std::sin(turn) : -std::sin(turn);
    double value = a == b ? std::cos(turn) : a == 0 ? sine : -sine;
    if (!inverse)
      return value;
    // Half a spectrum stands for its mirror image, too, but for the two that have none.
    bool isTwice = out == 1 && row != 0 && 2 * row != length;
    return (isTwice ? 2 : 1) * value / double(length);
  }
};
} // namespace

/// The last dimension of a signal: 1 or 2 components.
static int64_t componentsOf(NodeImporter &node) {
  RankedTensorType type = node.type(0);
  if (type && type.getRank() >= 2 && (type.getShape().back() == 1 || type.getShape().back() == 2) &&
      isa<FloatType>(type.getElementType()))
    return type.getShape().back();
  node.fail("expected a floating-point signal whose last dimension is 1 or 2, got another");
  return 1;
}

static std::optional<int64_t> staticSize(NodeImporter &node, AffineExpr size, StringRef what) {
  auto number = constantOf(size);
  if (!number)
    node.refuse("expected a static " + what + ", got " + node.symbols.print(size) + "; try --dim");
  return number;
}

/// A scalar input as an integer.
static int64_t integerInput(NodeImporter &node, unsigned input, StringRef what) {
  double value = node.number(input, what);
  if (!(std::abs(value) < 1e9))
    node.refuse("expected " + what + " of less than 1e9, got more");
  return node.failed() ? 0 : int64_t(value);
}

/// The axis is an attribute at opset 17, an input from 20 on. A length that is not the signal's pads it with zeros,
/// which is a matrix with fewer rows, or cuts it.
static void importDFT(NodeImporter &node) {
  int64_t rank = node.rank(0), in = componentsOf(node);
  int64_t axis = node.opset() < 20 ? node.integer("axis", 1) : node.has(2) ? integerInput(node, 2, "axis") : -2;
  axis = node.normalizeAxis(axis, rank);
  bool inverse = node.integer("inverse", 0) != 0, oneSided = node.integer("onesided", 0) != 0;
  if (!node.failed() && axis == rank - 1)
    node.fail("expected an axis before the last one, got " + Twine(axis));
  Value signal = node.tensor(0);
  auto size = node.failed() ? std::nullopt : staticSize(node, node.dims(0)[axis], "signal length");
  if (!size)
    return;
  bool fromHalf = inverse && oneSided; // half a spectrum becomes a real signal
  int64_t length = node.has(1) ? integerInput(node, 1, "dft_length") : fromHalf ? 2 * (*size - 1) : *size;
  Transform map{length,
                std::min(*size, fromHalf ? length / 2 + 1 : length),
                oneSided && !inverse ? length / 2 + 1 : length,
                in,
                fromHalf ? 1 : 2,
                inverse};
  if (node.failed() || !map.check(node))
    return;
  std::vector<double> weights;
  for (int64_t row = 0; row < map.rows; ++row)
    for (int64_t a = 0; a < map.in; ++a)
      for (int64_t column = 0; column < map.columns; ++column)
        for (int64_t b = 0; b < map.out; ++b)
          weights.push_back(map.weight(row, a, column, b));
  Value matrix = table(node, {map.rows * map.in, map.columns * map.out}, weights, node.elementType(0));
  signal = node.slice(signal, axis, node.number(0), node.number(map.rows));
  SmallVector<int64_t> swap = llvm::to_vector(llvm::seq<int64_t>(0, rank)); // its own inverse
  std::swap(swap[axis], swap[rank - 2]);
  signal = node.transpose(signal, swap);
  if (!signal)
    return;
  SmallVector<AffineExpr> shape = node.dims(signal);
  shape.pop_back_n(2);
  AffineExpr others = node.symbols.product(shape);
  signal = node.reshape(signal, {others, node.number(map.rows * map.in)});
  shape.append({node.number(map.columns), node.number(map.out)});
  Value result = node.reshape(node.emit<MatmulOp>({signal, matrix}), shape);
  node.set(0, node.transpose(result, swap));
}

/// A convolution whose filters are the rows of the transform, times the window; its stride is the step of the frames.
static void importSTFT(NodeImporter &node) {
  int64_t in = componentsOf(node), step = integerInput(node, 1, "frame_step");
  bool oneSided = node.integer("onesided", 1) != 0;
  if (!node.failed() && node.rank(0) != 3)
    node.fail("expected a signal of rank 3, got rank " + Twine(node.rank(0)));
  if (!node.failed() && (step < 1 || (node.has(2) && node.rank(2) != 1)))
    node.fail("expected a frame_step of at least 1 and a window of rank 1, got others");
  if (node.failed())
    return;
  std::optional<int64_t> length;
  if (node.has(3))
    length = integerInput(node, 3, "frame_length");
  else
    length = staticSize(node, node.has(2) ? node.dims(2)[0] : node.dims(0)[1], "frame_length");
  if (node.failed() ||
      (node.has(2) && !node.requireEqual(node.dims(2)[0], node.number(*length), "lengths of window and frame")))
    return;
  Transform map{*length, *length, oneSided ? *length / 2 + 1 : *length, in, 2};
  if (!map.check(node))
    return;
  std::vector<double> weights;
  for (int64_t column = 0; column < map.columns; ++column)
    for (int64_t b = 0; b < map.out; ++b)
      for (int64_t a = 0; a < map.in; ++a)
        for (int64_t row = 0; row < map.rows; ++row)
          weights.push_back(map.weight(row, a, column, b));
  Value filter = table(node, {map.columns * map.out, in, map.rows}, weights, node.elementType(0));
  if (node.has(2))
    filter = node.elementwise(ElementwiseKind::mul, {filter, node.tensor(2)});
  Value signal = node.transpose(node.tensor(0), {0, 2, 1});
  Value frames = node.emit<ConvOp>({signal, filter},
                                   {node.attr("strides", ArrayRef(step)), node.attr("dilations", ArrayRef<int64_t>(1)),
                                    node.attr("pads", ArrayRef<int64_t>{0, 0}), node.attr("group", int64_t(1))});
  if (!frames)
    return;
  SmallVector<AffineExpr> shape = node.dims(frames);
  frames =
      node.reshape(node.transpose(frames, {0, 2, 1}), {shape[0], shape[2], node.number(map.columns), node.number(2)});
  node.set(0, frames);
}

/// Sets a computed table as the result, in the type that output_datatype asks for.
static void setTable(NodeImporter &node, ArrayRef<int64_t> shape, ArrayRef<double> values) {
  int64_t code = node.integer("output_datatype", 1);
  Type type = elementTypeOf(code, node.context);
  if (!type)
    return node.refuse("attribute 'output_datatype': expected " + knownDataTypes + ", got " + dataTypeName(code));
  Type computed = isa<FloatType>(type) ? type : Float64Type::get(node.context);
  node.set(0, node.convert(table(node, shape, values, computed), type));
}

/// a - b cos(2 pi n / N) + c cos(4 pi n / N), where N is the size, or one less for a symmetric window.
static void importWindow(NodeImporter &node, double a, double b, double c) {
  auto declared = comesAtRunTime(node, 0) ? node.declaredShape(0) : std::nullopt;
  int64_t size = declared && declared->size() == 1 ? declared->front() : integerInput(node, 0, "size");
  if (declared)
    sizesOrDeclared(node, 0, "a size");
  bool periodic = node.integer("periodic", 1) != 0;
  if (!node.failed() && (size < 0 || size > maxTableElements))
    node.refuse("expected a window of up to " + Twine(maxTableElements) + " elements, got " + Twine(size));
  if (node.failed())
    return;
  std::vector<double> values;
  for (int64_t n = 0; n < size; ++n) {
    double turn = 2 * M_PI * double(n) / double(periodic ? size : size - 1);
    values.push_back(a - b * std::cos(turn) + c * std::cos(2 * turn));
  }
  setTable(node, size, values);
}

/// Triangles over the bins of a spectrum, evenly spaced in mel = 2595 log10(1 + hertz / 700).
static void importMelWeightMatrix(NodeImporter &node) {
  int64_t mels = integerInput(node, 0, "num_mel_bins"), length = integerInput(node, 1, "dft_length"),
          rate = integerInput(node, 2, "sample_rate");
  double low = node.number(3, "lower_edge_hertz"), high = node.number(4, "upper_edge_hertz");
  int64_t bins = length / 2 + 1;
  if (!node.failed() && (mels < 0 || length < 1 || rate < 1 || !(low >= 0 && high >= low && high <= 1e9) ||
                         mels > maxTableElements / bins))
    node.fail("expected bins and lengths of a sensible size and edges in ascending order, got others");
  if (node.failed())
    return;
  auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  auto bin = [&](int64_t index) {
    double hertz =
        700 * (std::pow(10, (mel(low) + double(index) * (mel(high) - mel(low)) / double(mels + 2)) / 2595) - 1);
    return std::min(int64_t(std::floor(double(length + 1) * hertz / double(rate))), bins - 1);
  };
  std::vector<double> values(bins * mels, 0.0);
  for (int64_t i = 0; i < mels; ++i) {
    int64_t left = bin(i), center = bin(i + 1), right = bin(i + 2);
    for (int64_t j = left; j <= center; ++j)
      values[j * mels + i] = center == left ? 1 : double(j - left) / double(center - left);
    for (int64_t j = center; j < right; ++j)
      values[j * mels + i] = double(right - j) / double(right - center);
  }
  setTable(node, {bins, mels}, values);
}

ArrayRef<Handler> coat::onnx::signalHandlers() {
  static const Handler rows[] = {
      {"BlackmanWindow", 17, newest, [](NodeImporter &node) { importWindow(node, 0.42, 0.5, 0.08); }},
      {"DFT", 17, newest, importDFT},
      {"HammingWindow", 17, newest, [](NodeImporter &node) { importWindow(node, 25.0 / 46, 21.0 / 46, 0); }},
      {"HannWindow", 17, newest, [](NodeImporter &node) { importWindow(node, 0.5, 0.5, 0); }},
      {"MelWeightMatrix", 17, newest, importMelWeightMatrix},
      {"STFT", 17, newest, importSTFT},
      {"TfIdfVectorizer", 9, newest, importTfIdfVectorizer},
  };
  return rows;
}
