// coat-assign-schedules: writes Strategy's decision, or what was measured, on every op that computes something, so that
// the stages behind it decide nothing. Reshapes are views and get none.
#include "AtOptimum.h"
#include "CpuOption.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "coat/Strategy/Tuning.h"

using namespace mlir;
using namespace coat;

namespace coat {
#define GEN_PASS_DEF_COATASSIGNSCHEDULES
#include "coat/Layout/Passes.h.inc"
} // namespace coat

namespace {
struct AssignSchedules : coat::impl::CoatAssignSchedulesBase<AssignSchedules> {
  using Base::Base;

  void runOnOperation() override {
    const CpuTarget *target = cpuOption(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    Tuning measured;
    if (!tuning.empty()) {
      auto read = readTuning(tuning, cpu, getContext());
      if (!read) {
        getOperation()->emitError(llvm::toString(read.takeError()));
        return signalPassFailure();
      }
      measured = std::move(*read);
    }
    AtOptimum optimum(getOperation());
    for (Operation &op : getOperation().getBody().front()) {
      bool computes = isa<tensor::ExtractSliceOp, tensor::ConcatOp>(op) ||
                      (isa<CoatDialect>(op.getDialect()) && !isa<ReshapeOp, PrefixOp, RequireOp>(op));
      if (ScheduleAttr schedule = computes ? scheduleOf(&op, optimum, *target, measured) : ScheduleAttr())
        op.setAttr("coat.schedule", schedule);
    }
  }

  ScheduleAttr scheduleOf(Operation *op, const AtOptimum &optimum, const CpuTarget &target, const Tuning &measured) {
    ScheduleAttr chosen = chooseSchedule(optimum.of(op), target);
    if (!chosen || (measured.empty() && variant < 0))
      return chosen;
    std::string signature = signatureOf(op);
    SmallVector<ScheduleAttr> others = alternativeSchedules(op, chosen);
    if (variant < 0) {
      // A file by hand, or from another version of coat, may hold what no stage is prepared for.
      ScheduleAttr known = measured.lookup(signature);
      return llvm::is_contained(others, known) ? known : chosen;
    }
    op->setAttr("coat.signature", StringAttr::get(&getContext(), signature));
    return variant > 0 && variant <= int64_t(others.size()) ? others[variant - 1] : chosen;
  }
};
} // namespace
