// See Microkernels.h.
#include "coat/Tile/Microkernels.h"
#include "coat/Dialect/Coat.h"

using namespace mlir;
using namespace coat;

static bool isF32(Value value) { return cast<ShapedType>(value.getType()).getElementType().isF32(); }

static bool convHasMicrokernel(ConvOp op) {
  auto filter = cast<RankedTensorType>(op.getFilter().getType());
  return isF32(op.getInput()) && op.getDataLayout() == coat::DataLayout::channels_last &&
         op.getFilterLayout() == FilterLayout::packed && filter.getShape().back() == 16 &&
         llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
}

static bool matmulHasMicrokernel(MatmulOp op) {
  bool packed = op.getFilterLayout() == FilterLayout::packed;
  auto rhs = cast<RankedTensorType>(op.getRhs().getType());
  return isF32(op.getLhs()) && !op.getTransposeLhs() && !op.getTransposeRhs() &&
         (!packed || rhs.getShape().back() == 16);
}

bool coat::hasProductMicrokernel(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return convHasMicrokernel(conv);
  if (isa<WinogradInputOp, WinogradConvOp>(op)) // whose operands have no other form
    return true;
  auto matmul = dyn_cast<MatmulOp>(op);
  return matmul && matmulHasMicrokernel(matmul);
}
