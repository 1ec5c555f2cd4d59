// Which results may lie where an input lies: present_cache in the buffer of past_cache, so that decoding appends to it.
//
// A result that coat.cache_write makes of an input which nothing else reads gets `coat.in_place`, the number of that
// input: net_info lists the pair, and the caller may pass one buffer for both. Nothing in between has to know, because
// whatever reads the input has run when the result is written, and the kernel copies only between different buffers.
#include "Importer.h"
#include "coat/Dialect/SequenceOps.h"

using namespace mlir;
using namespace coat;

void coat::onnx::markInPlace(func::FuncOp entry) {
  Operation *terminator = entry.getBody().front().getTerminator();
  for (OpOperand &result : terminator->getOpOperands()) {
    auto write = result.get().getDefiningOp<CacheWriteOp>();
    auto cache = write ? dyn_cast<BlockArgument>(write.getCache()) : BlockArgument();
    if (!cache)
      continue;
    bool readOnce = llvm::all_of(
        cache.getUsers(), [&](Operation *user) { return user == write.getOperation() || isa<tensor::DimOp>(user); });
    // A value that is returned twice has one place only.
    bool returnedOnce = llvm::count(terminator->getOperands(), result.get()) == 1;
    if (readOnce && returnedOnce && write.getUpdate() != cache)
      entry.setResultAttr(result.getOperandNumber(), "coat.in_place",
                          IntegerAttr::get(IntegerType::get(entry.getContext(), 64), cache.getArgNumber()));
  }
}
