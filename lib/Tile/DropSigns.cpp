// coat-drop-signs: enters kernels of linalg and tile-sized coat ops; leaves them without unsigned types (ui8 ..), whose
// meaning is in the arith ops by now. Left alone: the types of a kernel's arguments, which the launches have, too.
//
//   %0 = builtin.unrealized_conversion_cast %a : ui8 to i8; %1 = arith.maxui %0, ..  ->  %1 = arith.maxui %a, ..
#include "coat/Tile/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
#define GEN_PASS_DEF_DROPSIGNS
#include "coat/Tile/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
Type signless(Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    return shaped.clone(signless(shaped.getElementType()));
  auto integer = dyn_cast<IntegerType>(type);
  return integer ? IntegerType::get(type.getContext(), integer.getWidth()) : type;
}

struct DropSigns : coat::impl::DropSignsBase<DropSigns> {
  void runOnOperation() override {
    func::FuncOp kernel = getOperation();
    if (!kernel->hasAttr("coat.kernel") || kernel.empty())
      return;
    bool found = false;
    auto isUnsigned = [](Type type) { return signless(type) != type; };
    kernel.walk([&](Operation *op) {
      found |= llvm::any_of(op->getResultTypes(), isUnsigned) || llvm::any_of(op->getOperandTypes(), isUnsigned);
    });
    if (!found)
      return;
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.front());
    for (BlockArgument argument : kernel.getArguments())
      if (isUnsigned(argument.getType())) {
        auto cast = UnrealizedConversionCastOp::create(b, argument.getLoc(), signless(argument.getType()), argument);
        argument.replaceAllUsesExcept(cast.getResult(0), cast);
      }
    kernel.walk([&](Operation *op) {
      for (OpResult result : op->getResults())
        result.setType(signless(result.getType()));
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            if (&block != &kernel.front())
              argument.setType(signless(argument.getType()));
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()); dense && isUnsigned(dense.getType()))
          constant.setValueAttr(
              DenseElementsAttr::getFromRawBuffer(cast<ShapedType>(signless(dense.getType())), dense.getRawData()));
    });
    kernel.walk([](UnrealizedConversionCastOp cast) {
      if (cast->getNumOperands() != 1 || cast.getOperand(0).getType() != cast.getResult(0).getType())
        return;
      cast.getResult(0).replaceAllUsesWith(cast.getOperand(0));
      cast.erase();
    });
  }
};
} // namespace
