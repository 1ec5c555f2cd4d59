// The journey from a model to the LLVM dialect: the one list of stages.
#ifndef COAT_PIPELINE_PIPELINE_H
#define COAT_PIPELINE_PIPELINE_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include <string>
#include <vector>

namespace coat {

/// What a compile is asked for; tools fill it once from their flags.
struct CompileOptions {
  int optLevel = 2;                        // 0: the reference; 1: no fusion across ops; 2, 3
  std::string cpu = "x86-64-v3";           // -march
  std::string triple = "x86_64-unknown-linux-gnu"; // --target
  std::vector<std::string> disabledPasses; // --disable-pass, by flag without dashes
  std::string startAt, stopAfter;          // stage names
};

/// Adds the dialects (and their interfaces) that a coat pipeline needs.
void registerDialects(mlir::DialectRegistry &registry);
/// Registers every pass and every stage (as coat-stage-<name>) for textual use.
void registerPassesAndPipelines();

/// The names of the stages, in order, as --start-at and --stop-after take them.
std::vector<std::string> stageNames(const CompileOptions &options);
/// Appends all stages from `startAt` to `stopAfter`, after Import.
void buildPipeline(mlir::OpPassManager &pm, const CompileOptions &options);

} // namespace coat

#endif
