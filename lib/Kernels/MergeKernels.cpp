// coat-merge-kernels: enters launches and kernel functions; leaves one function for each set of
// equal ones. Left alone: everything else.
#include "coat/Dialect/Coat.h"
#include "coat/Kernels/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATMERGEKERNELS
#include "coat/Kernels/Passes.h.inc"
} // namespace coat

namespace {
/// The kernel's text with its name taken out. Resources print as keys, so equal text means equal code.
std::string textOf(func::FuncOp kernel) {
  std::string text;
  llvm::raw_string_ostream os(text);
  StringAttr name = kernel.getNameAttr();
  kernel.setName("kernel");
  kernel.print(os, OpPrintingFlags().useLocalScope());
  kernel.setName(name.getValue());
  return text;
}

struct MergeKernels : coat::impl::CoatMergeKernelsBase<MergeKernels> {
  void runOnOperation() override {
    llvm::StringMap<StringAttr> first;
    DenseMap<StringAttr, StringAttr> kept;
    for (auto kernel : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (!kernel->hasAttr("coat.kernel"))
        continue;
      auto [entry, isNew] = first.try_emplace(textOf(kernel), kernel.getNameAttr());
      if (isNew)
        continue;
      kept[kernel.getNameAttr()] = entry->second;
      kernel.erase();
    }
    getOperation()->walk([&](LaunchOp launch) {
      if (StringAttr name = kept.lookup(launch.getKernelAttr().getAttr()))
        launch.setKernelAttr(FlatSymbolRefAttr::get(name));
    });
  }
};
} // namespace
