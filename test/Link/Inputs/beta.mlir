// A product and a softmax, with two inputs whose names are no C identifiers.
func.func @beta(%a: tensor<5x16xf32> {coat.name = "in:0", coat.dims = ["5", "16"]},
                %b: tensor<16x7xf32> {coat.name = "int", coat.dims = ["16", "7"]})
    -> (tensor<5x7xf32> {coat.name = "in/0", coat.dims = ["5", "7"]}) attributes {coat.entry} {
  %0 = coat.matmul %a, %b : (tensor<5x16xf32>, tensor<16x7xf32>) -> tensor<5x7xf32>
  %1 = coat.softmax %0 {axis = 1 : i64} : (tensor<5x7xf32>) -> tensor<5x7xf32>
  return %1 : tensor<5x7xf32>
}
