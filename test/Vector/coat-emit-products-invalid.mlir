// RUN: coat-opt %s --coat-emit-products --verify-diagnostics

func.func private @reg(%x: tensor<1x16xf32>, %w: tensor<1x16x16xf32>) -> tensor<1x16xf32>
    attributes {coat.kernel, coat.schedule = #coat.schedule<"gemm", tile = [0, 0], reg = [16], vector = 8>} {
  // expected-error@+1 {{expected a register tile of 2 dimensions, got #coat.schedule}}
  %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 16 : i64}
      : (tensor<1x16xf32>, tensor<1x16x16xf32>) -> tensor<1x16xf32>
  return %0 : tensor<1x16xf32>
}
