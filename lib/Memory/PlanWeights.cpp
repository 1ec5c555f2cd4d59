// Offsets of the weights in the library's weight blob.
//
// Enters: the entry with coat.weight ops. Leaves: each with an offset, `coat.weights_size` on the entry. Weights that
// nothing reads are dropped. Functions that are not the entry are left alone.
#include "ArenaPlan.h"
#include "coat/Dialect/Coat.h"
#include "coat/Memory/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace coat {
#define GEN_PASS_DEF_PLANWEIGHTS
#include "coat/Memory/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
struct PlanWeights : coat::impl::PlanWeightsBase<PlanWeights> {
  void runOnOperation() override {
    func::FuncOp entry = getOperation();
    if (!entry->hasAttr("coat.entry"))
      return;
    Builder builder(&getContext());
    DenseMap<Attribute, int64_t> offsets;
    int64_t size = 0;
    for (auto weight : llvm::make_early_inc_range(entry.getOps<coat::WeightOp>())) {
      if (weight->use_empty()) {
        weight.erase();
        continue;
      }
      auto [it, isNew] = offsets.try_emplace(weight.getValueAttr(), size);
      weight.setOffset(it->second);
      if (!isNew)
        continue;
      MemRefType type = cast<MemRefType>(weight.getType());
      size += llvm::alignTo(type.getNumElements() * coat::bytesOfElement(type.getElementType()), coat::bufferAlignment);
    }
    entry->setAttr("coat.weights_size", builder.getI64IntegerAttr(size));
  }
};
} // namespace
