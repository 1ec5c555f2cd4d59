// A debugger and a profiler want a file and a line. The model has neither, so -g writes the kernels as IR beside the
// library: short enough to read, each line with the names of the model's nodes, before tiling multiplies it.
//
// Only kernels: the locations of the launches name nodes for the kernel table, and the entry holds the weights.
#include "DebugLines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/LocationSnapshot.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

std::string coat::tool::numberLines(ModuleOp module, StringRef fileName) {
  OwningOpRef<ModuleOp> kernels = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(kernels->getBody());
  SmallVector<Operation *> originals;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function->hasAttr("coat.kernel"))
      continue;
    originals.push_back(function);
    builder.clone(*function);
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  // In local scope there are no aliases: each line has its nodes' names on itself.
  generateLocationsFromIR(os, fileName, *kernels,
                          OpPrintingFlags().enableDebugInfo(true, /*prettyForm=*/true).useLocalScope());
  for (auto [original, copy] : llvm::zip_equal(originals, kernels->getBody()->without_terminator())) {
    SmallVector<Location> locations; // in the order of the walk, which the clone shares
    copy.walk([&](Operation *op) { locations.push_back(op->getLoc()); });
    size_t next = 0;
    original->walk([&](Operation *op) { op->setLoc(locations[next++]); });
  }
  return text;
}
