// The option `cpu` of passes that look at the CPU compiled for.
#ifndef COAT_LIB_LAYOUT_CPUOPTION_H
#define COAT_LIB_LAYOUT_CPUOPTION_H

#include "coat/Target/Cpu.h"
#include "mlir/IR/Operation.h"

namespace coat {
/// The CPU of that name; null, and an error at `op`, where there is none.
inline const CpuTarget *cpuOption(mlir::Operation *op, llvm::StringRef cpu) {
  const CpuTarget *target = findCpuTarget(cpu);
  if (!target)
    op->emitError("expected a known CPU, got '") << cpu << "'";
  return target;
}
} // namespace coat

#endif
