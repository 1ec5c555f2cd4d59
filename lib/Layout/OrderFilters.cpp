// coat-order-filters: enters channels-last convolutions with constant filters; leaves the filters' channels next to
// each other, as a constant [M, K.., C/group] that the convolution's kernel reads transposed. Left alone: filters that
// are not constant, those of one tap or one channel.
//
// Why: a GPU's copies are of 16 bytes, and a step along the reduction goes through one tap's channels.
#include "ConstantBytes.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATORDERFILTERS
#include "coat/Layout/Passes.h.inc"
} // namespace coat

/// %y = coat.conv %x, %w   ==>   %t = coat.transpose %w' {coat.prologue}; %y = coat.conv %x, %t   (%w may be a
/// conversion)
static void orderFilter(ConvOp op) {
  if (op.getDataLayout() != coat::DataLayout::channels_last || op.getFilterLayout() != FilterLayout::plain)
    return;
  auto cast = op.getFilter().getDefiningOp<CastOp>();
  Value constant = cast ? cast.getInput() : op.getFilter();
  auto type = ::cast<RankedTensorType>(constant.getType());
  int64_t out = type.getDimSize(0), in = type.getDimSize(1), rank = type.getRank(),
          taps = type.getNumElements() / out / in;
  int64_t size = 0;
  if (in == 1 || taps == 1 || !bytesOf(constant, size))
    return;
  OpBuilder b(op);
  SmallVector<int64_t> shape = {out}, order = {0, rank - 1};
  for (int64_t i = 2; i < rank; ++i) {
    shape.push_back(type.getDimSize(i));
    order.push_back(i - 1);
  }
  shape.push_back(in);
  Value ordered = packedConstant(b, constant, shape, [&](char *to, ArrayRef<char> from, int64_t size) {
    for (int64_t m = 0; m < out; ++m)
      for (int64_t c = 0; c < in; ++c)
        for (int64_t t = 0; t < taps; ++t)
          std::memcpy(to + ((m * taps + t) * in + c) * size, elementAt(from, (m * in + c) * taps + t, size), size);
  });
  auto transpose = TransposeOp::create(b, op.getLoc(), type, ordered, b.getDenseI64ArrayAttr(order));
  transpose->setAttr("coat.prologue", b.getUnitAttr());
  Value filter = transpose;
  if (cast) {
    auto own = CastOp::create(b, cast.getLoc(), cast.getType(), filter);
    own->setAttr("coat.prologue", b.getUnitAttr());
    filter = own;
  }
  op.getFilterMutable().assign(filter);
  if (cast && cast->use_empty())
    cast.erase();
}

namespace {
struct OrderFilters : coat::impl::CoatOrderFiltersBase<OrderFilters> {
  void runOnOperation() override { getOperation()->walk(orderFilter); }
};
} // namespace
