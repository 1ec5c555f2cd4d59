// coat-winograd: enters channels-last convolutions with explicit pads; leaves those that Strategy finds faster that way
// as the two halves of a Winograd convolution. Left alone: every other convolution, filters that are not constant, sums
// of integers.
//
// Why here: pads are explicit, so the one in front can be made wider, and weights are not packed yet.
#include "ConstantBytes.h"
#include "CpuOption.h"
#include "Reshape.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "coat/Strategy/Strategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Threading.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATWINOGRAD
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
constexpr int64_t block = 16;

/// G of F(m, r), a row of r a product: the powers of its point, divided by its distances from the others. See
/// lib/Vector/WinogradTransforms.cpp for the points and what stride 2 does.
SmallVector<double> filterMatrix(const WinogradTile &tile) {
  int64_t taps = tile.foldedTaps(), step = tile.foldedStride();
  int64_t used = llvm::divideCeilSigned(taps, step); // by the inputs that are interpolated
  ArrayRef<double> points = ArrayRef(WinogradTile::points).take_front(tile.outputs + used - 2);
  SmallVector<double> matrix(tile.extent() * taps, 0);
  double *row = matrix.data();
  for (double point : points) {
    double distances = 1;
    for (double other : points)
      distances *= other == point ? 1 : point - other;
    for (int64_t k = 0; k < used; ++k)
      row[k * step] = std::pow(point, k) / distances;
    row += taps;
  }
  row[(used - 1) * step] = 1; // infinity
  for (row += taps; row != matrix.end(); row += taps)
    row[1] = 1;
  return matrix;
}

/// G g G^T, rounded once. `g(i, j)` is a tap of the filter.
void transformFilter(const WinogradTile &tile, ArrayRef<double> matrix, llvm::function_ref<double(int64_t, int64_t)> g,
                     float *result, int64_t stride) {
  int64_t extent = tile.extent(), taps = tile.foldedTaps();
  SmallVector<double> taken(taps * taps), row(taps);
  for (int64_t i = 0; i < taps * taps; ++i)
    taken[i] = g(i / taps, i % taps);
  for (int64_t i = 0; i < extent; ++i) {
    for (int64_t k = 0; k < taps; ++k) { // of G g
      row[k] = 0;
      for (int64_t j = 0; j < taps; ++j)
        row[k] += matrix[i * taps + j] * taken[j * taps + k];
    }
    for (int64_t j = 0; j < extent; ++j)
      result[(i * extent + j) * stride] =
          static_cast<float>(std::inner_product(row.begin(), row.end(), matrix.begin() + j * taps, 0.0));
  }
}

/// [K, C, taps, taps] -> [ceil(K/16), products, C * fold^2, 16].
Value transformedFilter(OpBuilder &b, Value filter, const WinogradTile &tile) {
  auto type = cast<RankedTensorType>(filter.getType());
  int64_t out = type.getDimSize(0), in = type.getDimSize(1), products = tile.products(), fold = tile.fold;
  int64_t blocks = llvm::divideCeil(out, block), folded = in * fold * fold;
  SmallVector<double> matrix = filterMatrix(tile);
  return packedConstant(b, filter, {blocks, products, folded, block}, [&](char *to, ArrayRef<char> from, int64_t size) {
    auto *result = reinterpret_cast<float *>(to);
    auto tapAt = [&](int64_t k, int64_t c, int64_t i, int64_t j) -> double {
      if (i >= tile.taps || j >= tile.taps)
        return 0;
      float value;
      std::memcpy(&value, elementAt(from, ((k * in + c) * tile.taps + i) * tile.taps + j, size), sizeof(value));
      return value;
    };
    parallelFor(b.getContext(), 0, out, [&](size_t k) {
      for (int64_t c = 0; c < folded; ++c) { // row, column, channel
        int64_t row = c / in / fold, column = c / in % fold;
        auto g = [&](int64_t i, int64_t j) { return tapAt(k, c % in, i * fold + row, j * fold + column); };
        transformFilter(tile, matrix, g, result + (k / block * products * folded + c) * block + k % block,
                        folded * block);
      }
    });
  });
}

/// `input` with `rows` and `columns` more zeros at the end: a wider pad, where it is one already.
Value widened(OpBuilder &b, Location loc, Value input, int64_t rows, int64_t columns) {
  if (!rows && !columns)
    return input;
  SmallVector<int64_t> low(4, 0), high = {0, rows, columns, 0};
  if (auto pad = input.getDefiningOp<PadOp>(); pad && pad.getMode() == PadMode::constant && pad.getValue().isZero()) {
    input = pad.getInput();
    low.assign(pad.getLow().begin(), pad.getLow().end());
    for (auto [size, more] : llvm::zip_equal(high, pad.getHigh()))
      size += more;
  }
  return PadOp::create(b, loc, input, low, high, llvm::APFloat(0.0), PadMode::constant);
}

/// [N, H, W, C] -> [N, H, W / fold, fold * C]
Value withFoldedColumns(OpBuilder &b, Location loc, Value input, int64_t fold) {
  if (fold == 1)
    return input;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(input.getType()).getShape();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, input);
  sizes[2] = b.getIndexAttr(shape[2] / fold);
  sizes[3] = b.getIndexAttr(shape[3] * fold);
  return reshapeTo(b, loc, input, sizes);
}

/// conv(pad(x), w) -> winograd_conv(winograd_input(wider pad(x)), G w G^T)
void makeWinograd(ConvOp op, const WinogradTile &tile) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  ArrayRef<int64_t> result = cast<RankedTensorType>(op.getResult().getType()).getShape();
  ArrayRef<int64_t> given = cast<RankedTensorType>(op.getInput().getType()).getShape();
  auto missing = [&](int64_t dim) {
    int64_t read = tile.inputsOf(llvm::divideCeilSigned(result[dim], tile.outputs)) * tile.fold;
    return llvm::alignTo(std::max(read, given[dim]), tile.fold) - given[dim];
  };
  Value input = widened(b, loc, op.getInput(), missing(1), missing(2));
  input = withFoldedColumns(b, loc, input, tile.fold);
  Value transformed = WinogradInputOp::create(b, loc, input, tile);
  Value filter = transformedFilter(b, op.getFilter(), tile);
  auto conv = WinogradConvOp::create(b, loc, transformed, filter, op.getBias(), tile, ArrayRef{result[1], result[2]},
                                     result[3]);
  op.getResult().replaceAllUsesWith(conv.getResult());
  op.erase();
}

/// Whether the sums become integers: of whole numbers, they are exact only as they stand.
bool isOfIntegers(ConvOp op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    if (isa<TransposeOp>(user) && user->hasOneUse())
      user = *user->user_begin();
    auto cast = dyn_cast<CastOp>(user);
    return cast && isa<IntegerType>(getElementTypeOrSelf(cast.getType()));
  });
}

struct Winograd : coat::impl::CoatWinogradBase<Winograd> {
  using Base::Base;

  void runOnOperation() override {
    const CpuTarget *target = cpuOption(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    SmallVector<ConvOp> convolutions;
    getOperation()->walk([&](ConvOp op) { convolutions.push_back(op); });
    for (ConvOp op : convolutions) {
      int64_t size = 0;
      std::optional<WinogradTile> tile = isOfIntegers(op) ? std::nullopt : chooseWinogradTile(op, *target);
      if (tile && bytesOf(op.getFilter(), size))
        makeWinograd(op, *tile);
    }
  }
};
} // namespace
