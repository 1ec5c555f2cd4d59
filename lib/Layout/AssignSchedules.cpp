// coat-assign-schedules: writes Strategy's decision on every op that computes something, so that
// the stages behind it decide nothing. Reshapes are views and get none.
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "coat/Strategy/Strategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

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
    const CpuTarget *target = findCpuTarget(cpu);
    if (!target) {
      getOperation()->emitError("expected a known CPU, got '") << cpu << "'";
      return signalPassFailure();
    }
    for (Operation &op : getOperation().getBody().front()) {
      bool computes = isa<tensor::ExtractSliceOp, tensor::ConcatOp>(op) ||
                      (isa<CoatDialect>(op.getDialect()) && !isa<ReshapeOp>(op));
      if (computes)
        op.setAttr("coat.schedule", chooseSchedule(&op, *target));
    }
  }
};
} // namespace
