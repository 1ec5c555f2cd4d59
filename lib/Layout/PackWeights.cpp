// coat-pack-weights: enters conv and matmul with constant plain weights; leaves them packed.
// Left alone: weights that are not constant, channels-first convolutions, and all but f32, which is what the
// microkernels read: a tile of packed weights does not tell how many of its columns are padding.
#include "ConstantBytes.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATPACKWEIGHTS
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
constexpr int64_t block = 16;

/// [M, Cg, K..] -> [group, ceil(M/group/16), K.., Cg, 16]; depthwise [C, 1, K..] -> [1, ceil(C/16), K.., 1, 16].
void packConv(ConvOp op) {
  int64_t size = 0;
  auto type = cast<RankedTensorType>(op.getFilter().getType());
  if (!type.getElementType().isF32() || op.getDataLayout() != coat::DataLayout::channels_last ||
      op.getFilterLayout() == FilterLayout::packed || !bytesOf(op.getFilter(), size))
    return;
  int64_t out = type.getDimSize(0), in = type.getDimSize(1);
  bool depthwise = op.getGroup() > 1 && in == 1 && out == (int64_t)op.getGroup();
  int64_t groups = depthwise ? 1 : op.getGroup(), perGroup = out / groups, blocks = llvm::divideCeil(perGroup, block);
  int64_t taps = 1;
  SmallVector<int64_t> shape = {groups, blocks};
  for (int64_t k : type.getShape().drop_front(2)) {
    shape.push_back(k);
    taps *= k;
  }
  shape.append({in, block});
  OpBuilder b(op);
  Value packed = packedConstant(b, op.getFilter(), shape, [&](char *to, ArrayRef<char> from, int64_t size) {
    for (int64_t g = 0; g < groups; ++g)
      for (int64_t m = 0; m < perGroup; ++m)
        for (int64_t t = 0; t < taps; ++t)
          for (int64_t c = 0; c < in; ++c) {
            int64_t source = ((g * perGroup + m) * in + c) * taps + t;
            int64_t target = (((g * blocks + m / block) * taps + t) * in + c) * block + m % block;
            std::memcpy(to + target * size, elementAt(from, source, size), size);
          }
  });
  op.getFilterMutable().assign(packed);
  op.setFilterLayout(FilterLayout::packed);
  op.setOutChannels(out);
}

/// [K, N] or, transposed, [N, K] -> [ceil(N/16), K, 16].
void packMatmul(MatmulOp op) {
  int64_t size = 0;
  auto type = cast<RankedTensorType>(op.getRhs().getType());
  if (!type.getElementType().isF32() || type.getRank() != 2 || op.getFilterLayout() == FilterLayout::packed ||
      !bytesOf(op.getRhs(), size))
    return;
  bool transposed = op.getTransposeRhs();
  int64_t n = type.getDimSize(transposed ? 0 : 1), k = type.getDimSize(transposed ? 1 : 0);
  OpBuilder b(op);
  Value packed = packedConstant(b, op.getRhs(), {(int64_t)llvm::divideCeil(n, block), k, block},
                                [&](char *to, ArrayRef<char> from, int64_t size) {
                                  for (int64_t i = 0; i < n; ++i)
                                    for (int64_t j = 0; j < k; ++j)
                                      std::memcpy(to + ((i / block * k + j) * block + i % block) * size,
                                                  elementAt(from, transposed ? i * k + j : j * n + i, size), size);
                                });
  op.getRhsMutable().assign(packed);
  op.setTransposeRhs(false);
  op.setFilterLayout(FilterLayout::packed);
  op.setOutChannels(n);
}

struct PackWeights : coat::impl::CoatPackWeightsBase<PackWeights> {
  void runOnOperation() override {
    getOperation()->walk(packConv);
    getOperation()->walk(packMatmul);
  }
};
} // namespace
