// Weights are resources, and MLIR keeps those until the context ends: plain filters would stay beside packed ones, and
// with them the mapped model, through the whole compile. A model of half a gigabyte then takes three.
#include "UnusedWeights.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

void coat::tool::freeUnusedWeights(ModuleOp module) {
  auto *interface = module.getContext()
                        ->getLoadedDialect<BuiltinDialect>()
                        ->getRegisteredInterface<ResourceBlobManagerDialectInterface>();
  if (!interface)
    return;
  llvm::StringSet<> used;
  AttrTypeWalker walker;
  walker.addWalk([&](DenseResourceElementsAttr attr) { used.insert(attr.getRawHandle().getKey()); });
  module.walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
  DialectResourceBlobManager &manager = interface->getBlobManager();
  SmallVector<StringRef> unused;
  manager.getBlobMap([&](const auto &blobs) {
    for (const auto &entry : blobs)
      if (const AsmResourceBlob *blob = entry.second.getBlob(); blob && !blob->getData().empty())
        if (!used.contains(entry.first()))
          unused.push_back(entry.first());
  });
  for (StringRef name : unused)
    manager.update(name, AsmResourceBlob());
}
