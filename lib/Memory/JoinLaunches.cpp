// coat-join-launches: enters the entry's list of launches; marks with `coat.joined` each launch whose tasks may run
// together with those of the launch before it. Left alone: launches that wait for what is written just before them.
//
// Why: threads meet after every launch, and the last tasks of one leave some of them idle. Branches of a network and
// the projections of an attention are independent and stand side by side, so one meeting serves them all.
//
//   coat.launch @k0(%x) outs(%a)                     coat.launch @k0(%x) outs(%a)
//   coat.launch @k1(%x) outs(%b)               ->    coat.launch @k1(%x) outs(%b) {coat.joined}
//   coat.launch @k2(%a, %b) outs(%y)                 coat.launch @k2(%a, %b) outs(%y)
#include "coat/Dialect/Coat.h"
#include "coat/Memory/Passes.h"
#include "coat/Target/Cpu.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace coat {
#define GEN_PASS_DEF_JOINLAUNCHES
#include "coat/Memory/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
constexpr size_t mostJoined = 8; // keeps the list of operands of one meeting short
/// Operations, and bytes as so many (workOfByte), that are not worth waking a thread for: about 10 us. Alone, such a
/// launch is a task or two of the thread that is there: cross attention of 17 to 50 places took 75 us on two threads,
/// 40 on one.
constexpr double leastJoined = 1e6;

/// The buffer that `memref` is a view of, and the last subview on the way that cuts that very buffer.
struct Place {
  Value buffer;
  memref::SubViewOp part;
};

Place placeOf(Value memref) {
  Place place{memref, {}};
  while (Operation *view = place.buffer.getDefiningOp()) {
    if (!isa<ViewLikeOpInterface, memref::TransposeOp>(view)) // upstream's transpose is a view without the interface
      break;
    place.part = dyn_cast<memref::SubViewOp>(view);
    place.buffer = view->getOperand(0);
  }
  return place;
}

/// May the two share bytes? Parts of one buffer do not where their offsets and sizes say so.
bool mayOverlap(Place a, Place b) {
  if (a.buffer != b.buffer)
    return false;
  if (!a.part || !b.part || !a.part.hasUnitStride() || !b.part.hasUnitStride())
    return true;
  FailureOr<bool> overlap = ValueBoundsConstraintSet::areOverlappingSlices(
      a.part.getContext(), HyperrectangularSlice(a.part), HyperrectangularSlice(b.part));
  return failed(overlap) || *overlap;
}

bool anyOverlap(ValueRange left, ValueRange right) {
  return llvm::any_of(
      left, [&](Value a) { return llvm::any_of(right, [&](Value b) { return mayOverlap(placeOf(a), placeOf(b)); }); });
}

bool areIndependent(LaunchOp before, LaunchOp after) {
  return !anyOverlap(before.getOutputs(), after.getInputs()) && !anyOverlap(before.getOutputs(), after.getOutputs()) &&
         !anyOverlap(before.getInputs(), after.getOutputs());
}

bool isWorthAThread(LaunchOp launch) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernelAttr());
  auto flops = kernel->getAttrOfType<IntegerAttr>("coat.flops"),
       bytes = kernel->getAttrOfType<IntegerAttr>("coat.bytes");
  return !flops || !bytes || double(flops.getInt()) + workOfByte * double(bytes.getInt()) >= leastJoined;
}

struct JoinLaunches : coat::impl::JoinLaunchesBase<JoinLaunches> {
  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>())
      if (entry->hasAttr("coat.entry"))
        joinIn(entry);
  }

  void joinIn(func::FuncOp entry) {
    SmallVector<LaunchOp> joined;
    for (Operation &op : entry.getBody().front()) {
      if (isa<memref::LoadOp, RequireOp>(op)) // read what a launch before them wrote
        joined.clear();
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch)
        continue;
      bool joins = !joined.empty() && joined.size() < mostJoined && isWorthAThread(launch) &&
                   llvm::all_of(joined, [&](LaunchOp other) { return areIndependent(other, launch); });
      if (!joins)
        joined.clear();
      else
        launch->setAttr("coat.joined", UnitAttr::get(&getContext()));
      joined.push_back(launch);
    }
  }
};
} // namespace
