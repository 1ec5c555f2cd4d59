// Schedules that were measured: a text file, one line an op, that -O3 writes and later compiles read.
//
//   # coat tuning
//   x86-64-v3 | coat.matmul (tensor<196x768xf32>, ..) -> tensor<196x3072xf32> {..} | #coat.schedule<"gemm", ..>
//
// An op is known by what it computes, not by its name, so the file serves every model that holds the same op.
#ifndef COAT_STRATEGY_TUNING_H
#define COAT_STRATEGY_TUNING_H

#include "coat/Strategy/Strategy.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace coat {
/// What `op` computes, as text: its name, attributes of its own, types.
std::string signatureOf(mlir::Operation *op);

/// Schedules for `op` other than `chosen` that some machine may run faster; all compute the same.
llvm::SmallVector<ScheduleAttr> alternativeSchedules(mlir::Operation *op, ScheduleAttr chosen);

/// The lines of one file that are for one CPU.
using Tuning = llvm::StringMap<ScheduleAttr>; // by signature
/// The error names file and line: a line that is no entry, a schedule that does not parse.
llvm::Expected<Tuning> readTuning(llvm::StringRef path, llvm::StringRef cpu, mlir::MLIRContext &context);
/// The text of a file; `schedules` by signature, in its order.
std::string tuningText(llvm::StringRef cpu, llvm::ArrayRef<std::pair<std::string, std::string>> schedules);
} // namespace coat

#endif
