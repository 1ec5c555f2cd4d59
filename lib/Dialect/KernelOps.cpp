// Verification and effects of the launch list's ops.
#include "coat/Dialect/Coat.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace coat;

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto kernel = symbolTable.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getKernelAttr());
  if (!kernel || !kernel->hasAttr("coat.kernel")) // C1
    return emitOpError() << "expected a function with attribute 'coat.kernel', got " << getKernelAttr();
  // Lower appends the number of the task, which a launch does not give.
  ArrayRef<Type> taken = kernel.getArgumentTypes().drop_back(kernel->hasAttr("coat.tasks") ? 1 : 0);
  if (!llvm::equal(taken, getOperandTypes())) // C2
    return emitOpError() << "expected operands of types (" << taken << ") as " << getKernelAttr()
                         << " takes them, got (" << getOperandTypes() << ")";
  return success();
}

void LaunchOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &input : getInputsMutable())
    effects.emplace_back(MemoryEffects::Read::get(), &input);
  for (OpOperand &output : getOutputsMutable())
    effects.emplace_back(MemoryEffects::Write::get(), &output);
}

LogicalResult RequireOp::verify() {
  auto type = cast<ShapedType>(getCondition().getType());
  if (type.getRank() != 0 || !type.getElementType().isInteger(1)) // C1
    return emitOpError() << "expected a condition of rank 0 and element type i1, got " << type;
  return success();
}
