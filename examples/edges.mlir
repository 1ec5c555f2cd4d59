// Sobel edges of one grey image, as a model: two 3x3 filters, squared and added.
func.func @edges(%image: tensor<1x1x96x128xf32> {coat.name = "image", coat.dims = ["1", "1", "96", "128"]})
    -> (tensor<1x1x94x126xf32> {coat.name = "strength", coat.dims = ["1", "1", "94", "126"]}) attributes {coat.entry} {
  %filters = arith.constant dense<[[[[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]],
                                   [[[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]]]]> : tensor<2x1x3x3xf32>
  %gradients = coat.conv %image, %filters {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
    : (tensor<1x1x96x128xf32>, tensor<2x1x3x3xf32>) -> tensor<1x2x94x126xf32>
  %squares = coat.elementwise mul %gradients, %gradients : (tensor<1x2x94x126xf32>, tensor<1x2x94x126xf32>) -> tensor<1x2x94x126xf32>
  %ones = arith.constant dense<1.0> : tensor<1x2x1x1xf32>
  %sum = coat.conv %squares, %ones {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>}
    : (tensor<1x2x94x126xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x94x126xf32>
  %strength = coat.elementwise sqrt %sum : (tensor<1x1x94x126xf32>) -> tensor<1x1x94x126xf32>
  return %strength : tensor<1x1x94x126xf32>
}
