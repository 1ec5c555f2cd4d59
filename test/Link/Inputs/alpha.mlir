// A convolution with a symbolic batch.
func.func @alpha(%x: tensor<?x3x8x8xf32> {coat.name = "x", coat.dims = ["N", "3", "8", "8"]})
    -> (tensor<?x4x6x6xf32> {coat.name = "y", coat.dims = ["N", "4", "6", "6"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 8 : i64}]} {
  %w = arith.constant dense<0.125> : tensor<4x3x3x3xf32>
  %b = arith.constant dense<[0.0, 1.0, -1.0, 2.0]> : tensor<4xf32>
  %0 = coat.conv %x, %w bias %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<?x4x6x6xf32>
  %1 = coat.elementwise relu %0 : (tensor<?x4x6x6xf32>) -> tensor<?x4x6x6xf32>
  return %1 : tensor<?x4x6x6xf32>
}
