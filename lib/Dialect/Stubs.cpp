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
STUB(ElementwiseOp)
STUB(ReduceOp)
STUB(ArgReduceOp)
STUB(TransposeOp)
STUB(PadOp)
STUB(GatherOp)
VER(CastOp) VER(ReshapeOp) VER(BroadcastOp)
FOLD(ElementwiseOp) FOLD(CastOp) FOLD(TransposeOp) FOLD(ReshapeOp) FOLD(BroadcastOp) FOLD(PadOp)
Value ElementwiseOp::buildScalar(OpBuilder &, Location, ValueRange args) { return args[0]; }
Value CastOp::buildScalar(OpBuilder &, Location, Value arg) { return arg; }
