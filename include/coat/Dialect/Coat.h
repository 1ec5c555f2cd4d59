// The coat dialect: ops, attributes, enums and the cost interface.
#ifndef COAT_DIALECT_COAT_H
#define COAT_DIALECT_COAT_H

#include "coat/Dialect/WinogradTile.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace coat {
/// Bytes of all ranked-tensor operands and results of `op`; symbolic dimensions count as 1.
int64_t bytesOfOperandsAndResults(mlir::Operation *op);

class ScalarLoops;

/// Starts the diagnostic of a violated constraint.
using EmitError = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// Fails unless the results of `op` have the types that were inferred for them.
llvm::LogicalResult verifyResultTypes(mlir::Operation *op, mlir::TypeRange inferred);

/// Verifies the numbered constraints of an op (Op::checkConstraints), then its result types, with one error each;
/// upstream's comparison of inferred types comes behind it and would report a violated constraint a second time.
template <typename ConcreteOp> class Checked : public mlir::OpTrait::TraitBase<ConcreteOp, Checked> {
public:
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) {
    typename ConcreteOp::Adaptor adaptor(llvm::cast<ConcreteOp>(op));
    llvm::SmallVector<mlir::Type> inferred;
    if (failed(ConcreteOp::checkConstraints(adaptor, [&] { return op->emitOpError(); })) ||
        failed(ConcreteOp::inferReturnTypes(op->getContext(), op->getLoc(), adaptor, inferred)))
      return llvm::failure();
    return verifyResultTypes(op, inferred);
  }
};
} // namespace coat

#include "coat/Dialect/CoatDialect.h.inc"
#include "coat/Dialect/CoatEnums.h.inc"
#include "coat/Dialect/Interfaces.h.inc"

namespace coat {
/// Where a layout has the channels of a tensor of this rank.
inline int64_t channelDim(DataLayout layout, int64_t rank) {
  return layout == DataLayout::channels_first ? 1 : rank - 1;
}

/// Where a layout has spatial dimension number `i`.
inline int64_t spatialDim(DataLayout layout, int64_t i) { return layout == DataLayout::channels_first ? 2 + i : 1 + i; }

/// Number of operands of an element-wise kind.
inline int64_t elementwiseArity(ElementwiseKind kind) {
  return kind < ElementwiseKind::add ? 1 : kind < ElementwiseKind::select ? 2 : 3;
}
} // namespace coat

#define GET_ATTRDEF_CLASSES
#include "coat/Dialect/CoatAttrs.h.inc"

#define GET_OP_CLASSES
#include "coat/Dialect/CoatOps.h.inc"

#endif
