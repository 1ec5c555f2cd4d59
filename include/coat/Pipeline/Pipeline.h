// The journey from a model to the LLVM dialect: the one list of stages.
#ifndef COAT_PIPELINE_PIPELINE_H
#define COAT_PIPELINE_PIPELINE_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include <string>
#include <vector>

namespace coat {

/// -ffp-model: what may happen to the rounding of a model's numbers.
enum class FloatModel {
  strict,  // nothing: every sum in the order of its loops, no fused multiply-adds, no Winograd
  precise, // what keeps a whole model within rtol 1e-3
  fast,    // shorter polynomials, too
};

/// --device: where kernels run.
enum class Device { cpu, cuda };

/// What a compile is asked for; tools fill it once from their flags.
struct CompileOptions {
  FloatModel floats = FloatModel::precise; // -ffp-model
  bool smallest = false;                   // -Os: no growth of weights
  bool debugLines = false;                 // -g: line tables
  int optLevel = 2;                        // 0: the reference; 1: no fusion across ops; 2, 3
  std::string cpu = "x86-64-v3";           // -march
  std::string tuning;                      // --tune: file of measured schedules
  int64_t variant = -1;                    // the alternative schedules that -O3 measures in turn; -1: what is best
  std::string triple = "x86_64-unknown-linux-gnu"; // --target
  Device device = Device::cpu;                     // --device
  std::vector<std::string> gpuArchs;               // --gpu-arch
  bool tf32 = false;                               // --tf32: products of f32 may be those of tf32
  std::string dtype; // --dtype: f16 or bf16 for convolutions, products and attention; empty: the model's
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
