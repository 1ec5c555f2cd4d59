// coat-winograd: enters channels-last convolutions with explicit pads; leaves those 3x3 convolutions that Strategy
// finds faster that way as the two halves of a Winograd convolution. Left alone: every other convolution, filters that
// are not constant, sums of integers.
//
// Why here: pads are explicit, so the one in front can be made wider, and weights are not packed yet.
#include "ConstantBytes.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "coat/Strategy/Strategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATWINOGRAD
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
constexpr int64_t block = 16;

/// G of F(m, 3), rows of three.
ArrayRef<double> filterMatrix(WinogradTile tile) {
  static constexpr double two[] = {1, 0, 0, .5, .5, .5, .5, -.5, .5, 0, 0, 1};
  static constexpr double four[] = {1. / 4,  0,       0,      -1. / 6, -1. / 6,  -1. / 6, -1. / 6, 1. / 6, -1. / 6,
                                    1. / 24, 1. / 12, 1. / 6, 1. / 24, -1. / 12, 1. / 6,  0,       0,      1};
  // The first and the last tap by F(m, 2), the middle one for each of the odd inputs.
  static constexpr double twoStrided[] = {1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0};
  static constexpr double fourStrided[] = {.5, 0, 0, -.5, 0, -.5, -1. / 6, 0, 1. / 6, 1. / 6, 0, 1. / 3, 0, 0,
                                           1,  0, 1, 0,   0, 1,   0,       0, 1,      0,      0, 1,      0};
  if (tile.stride == 2)
    return tile.outputs == 2 ? ArrayRef(twoStrided) : ArrayRef(fourStrided);
  return tile.outputs == 2 ? ArrayRef(two) : ArrayRef(four);
}

/// G g G^T of a 3x3 filter, rounded once.
void transformFilter(WinogradTile tile, const double *filter, float *result, int64_t stride) {
  ArrayRef<double> g = filterMatrix(tile);
  int64_t extent = tile.extent();
  for (int64_t i = 0; i < extent; ++i) {
    double row[3]; // of G g
    for (int64_t k = 0; k < 3; ++k)
      row[k] = g[3 * i] * filter[k] + g[3 * i + 1] * filter[3 + k] + g[3 * i + 2] * filter[6 + k];
    for (int64_t j = 0; j < extent; ++j)
      result[(i * extent + j) * stride] =
          static_cast<float>(row[0] * g[3 * j] + row[1] * g[3 * j + 1] + row[2] * g[3 * j + 2]);
  }
}

/// [K, C, 3, 3] -> [ceil(K/16), products, C, 16].
Value transformedFilter(OpBuilder &b, Value filter, WinogradTile tile) {
  auto type = cast<RankedTensorType>(filter.getType());
  int64_t out = type.getDimSize(0), in = type.getDimSize(1), products = tile.products();
  int64_t blocks = llvm::divideCeil(out, block);
  return packedConstant(b, filter, {blocks, products, in, block}, [&](char *to, ArrayRef<char> from, int64_t size) {
    auto *result = reinterpret_cast<float *>(to);
    parallelFor(b.getContext(), 0, out, [&](size_t k) {
      for (int64_t c = 0; c < in; ++c) {
        double taps[9];
        for (int64_t tap = 0; tap < 9; ++tap) {
          float value;
          std::memcpy(&value, elementAt(from, (k * in + c) * 9 + tap, size), sizeof(value));
          taps[tap] = value;
        }
        transformFilter(tile, taps, result + (k / block * products * in + c) * block + k % block, in * block);
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

/// conv(pad(x), w) -> winograd_conv(winograd_input(wider pad(x)), G w G^T)
void makeWinograd(ConvOp op, WinogradTile tile) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  ArrayRef<int64_t> result = cast<RankedTensorType>(op.getResult().getType()).getShape();
  ArrayRef<int64_t> given = cast<RankedTensorType>(op.getInput().getType()).getShape();
  auto missing = [&](int64_t dim) {
    return std::max<int64_t>(0, tile.inputsOf(llvm::divideCeilSigned(result[dim], tile.outputs)) - given[dim]);
  };
  Value input = widened(b, loc, op.getInput(), missing(1), missing(2));
  Value transformed = WinogradInputOp::create(b, loc, input, tile.outputs, tile.stride);
  Value filter = transformedFilter(b, op.getFilter(), tile);
  auto conv = WinogradConvOp::create(b, loc, transformed, filter, op.getBias(), tile.outputs, tile.stride,
                                     ArrayRef{result[1], result[2]}, result[3]);
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
    const CpuTarget *target = findCpuTarget(cpu);
    if (!target) {
      getOperation()->emitError("expected a known CPU, got '") << cpu << "'";
      return signalPassFailure();
    }
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
