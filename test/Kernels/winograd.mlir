// RUN: coat-opt %s --coat-outline-kernels --split-input-file | FileCheck %s

// An input transform without a schedule is part of the kernel of its user, whose schedule is the kernel's.
// CHECK-LABEL: func.func @one_kernel
// CHECK-COUNT-1: coat.launch
// CHECK-NOT: coat.launch
// CHECK: coat.ops = ["winograd_input", "winograd_conv", "relu"], coat.schedule = #coat.schedule<"winograd"
func.func @one_kernel(%x: tensor<1x58x58x64xf32> {coat.name = "x"}, %u: tensor<4x36x64x16xf32> {coat.name = "u"}) -> (tensor<1x56x56x64xf32> {coat.name = "y"}) attributes {coat.entry} {
  %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64,
      coat.schedule = #coat.schedule<"winograd", tile = [1, 4, 0, 0], reg = [1, 1, 6, 16], vector = 8>}
    : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x56x56x64xf32>
  %2 = coat.elementwise relu %1 : (tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  return %2 : tensor<1x56x56x64xf32>
}

// -----

// With a schedule it is a kernel.
// CHECK-LABEL: func.func @two_kernels
// CHECK-COUNT-2: coat.launch
// CHECK-NOT: coat.launch
// CHECK: coat.ops = ["winograd_input"]
func.func @two_kernels(%x: tensor<1x58x58x64xf32> {coat.name = "x"}, %u: tensor<4x36x64x16xf32> {coat.name = "u"}) -> (tensor<1x56x56x64xf32> {coat.name = "y"}) attributes {coat.entry} {
  %0 = coat.winograd_input %x {tile = 4 : i64, coat.schedule = #coat.schedule<"winograd", tile = [0, 1, 0, 0, 0], vector = 8>}
    : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
  %1 = coat.winograd_conv %0, %u {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64,
      coat.schedule = #coat.schedule<"winograd", tile = [1, 0, 0, 32], reg = [1, 1, 6, 16], vector = 8>}
    : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>) -> tensor<1x56x56x64xf32>
  return %1 : tensor<1x56x56x64xf32>
}
