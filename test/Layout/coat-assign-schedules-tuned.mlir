// RUN: coat-opt %s --coat-assign-schedules=variant=1 | FileCheck %s --check-prefix=VARIANT
// RUN: coat-opt %s --coat-assign-schedules=tuning=%S/Inputs/matmul.tune | FileCheck %s --check-prefix=TUNED
// RUN: coat-opt %s --coat-assign-schedules="cpu=x86-64-v2 tuning=%S/Inputs/matmul.tune" | FileCheck %s --check-prefix=OTHER
// RUN: not coat-opt %s --coat-assign-schedules=tuning=%S/Inputs/none.tune 2>&1 | FileCheck %s --check-prefix=NONE

// VARIANT: coat.matmul
// VARIANT-SAME: coat.schedule = #coat.schedule<"gemm", tile = [0, 128]
// VARIANT-SAME: coat.signature = "coat.matmul (tensor<256x64xf32>, tensor<64x256xf32>) -> tensor<256x256xf32>

// The file's schedule, for the CPU it was measured on, and only if it is one that Strategy might have chosen.
// TUNED: coat.schedule = #coat.schedule<"gemm", tile = [128, 64]
// OTHER-NOT: tile = [3, 5]
// TUNED-NOT: coat.signature

// NONE: error: {{.*}}none.tune: No such file
func.func @product(%x: tensor<256x64xf32>, %w: tensor<64x256xf32>) -> tensor<256x256xf32> {
  %0 = coat.matmul %x, %w : (tensor<256x64xf32>, tensor<64x256xf32>) -> tensor<256x256xf32>
  return %0 : tensor<256x256xf32>
}
