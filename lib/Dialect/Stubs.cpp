// Placeholders while the families are written.
#include "coat/Dialect/Coat.h"
using namespace mlir; using namespace coat;
#define STUB(X) LogicalResult X::checkConstraints(Adaptor, EmitError) { return success(); } \
 LogicalResult X::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor, SmallVectorImpl<Type> &) { return failure(); } \
 LogicalResult X::reifyResultShapes(OpBuilder &, ReifiedRankedShapedTypeDims &) { return failure(); } \
 int64_t X::getFlops() { return 0; }
#define VER(X) LogicalResult X::verify() { return success(); } LogicalResult X::reifyResultShapes(OpBuilder &, ReifiedRankedShapedTypeDims &) { return failure(); }
#define FOLD(X) OpFoldResult X::fold(FoldAdaptor) { return {}; }
STUB(PoolOp)
STUB(GlobalPoolOp)
STUB(ResizeOp)
STUB(AttentionOp)
STUB(SoftmaxOp)
STUB(BatchNormOp)
STUB(LayerNormOp)
STUB(GroupNormOp)
STUB(LRNOp)
