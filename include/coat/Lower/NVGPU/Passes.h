// Passes of the NVGPU stage; declarations are generated from Passes.td.
#ifndef COAT_LOWER_NVGPU_PASSES_H
#define COAT_LOWER_NVGPU_PASSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace coat {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "coat/Lower/NVGPU/Passes.h.inc"

struct NVGPUOptions {
  std::vector<std::string> archs = {"sm_80"}; // as --gpu-arch takes them
  bool tf32 = false;                          // products of f32 may be those of tf32
  bool strict = false;                        // sums in order, one rounding an operation
  bool fast = false;                          // shorter polynomials
};

/// Appends the passes of the stage, in order.
void buildNVGPUPipeline(mlir::OpPassManager &pm, const NVGPUOptions &options);
} // namespace coat

#endif
