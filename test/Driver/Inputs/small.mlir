// A product and a ReLU; the smallest model with a weight.
func.func @small(%x: tensor<4x8xf32> {coat.name = "x", coat.dims = ["4", "8"]})
    -> (tensor<4x6xf32> {coat.name = "y", coat.dims = ["4", "6"]}) attributes {coat.entry} {
  %w = arith.constant dense<0.25> : tensor<8x6xf32>
  %0 = coat.matmul %x, %w : (tensor<4x8xf32>, tensor<8x6xf32>) -> tensor<4x6xf32>
  %1 = coat.elementwise relu %0 : (tensor<4x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
