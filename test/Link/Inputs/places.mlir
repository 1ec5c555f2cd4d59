// Where x is not zero, provided that `kind` is 1 or 2.
module {
  func.func @places(%x: tensor<3x4xf32> {coat.name = "x", coat.dims = ["3", "4"]},
                    %kind: tensor<1xi64> {coat.name = "kind", coat.dims = ["1"]})
      -> (tensor<2x?xi64> {coat.name = "at", coat.dims = ["2", "at_count"], coat.counted},
          tensor<i64> {coat.name = "at_count", coat.dims = []})
      attributes {coat.entry, coat.symbols = [{count, name = "at_count", min = 0 : i64, max = 12 : i64}]} {
    %c0 = arith.constant 0 : index
    %c12 = arith.constant 12 : index
    %known = coat.matches %kind {choices = array<i64: 1, 2>} : (tensor<1xi64>) -> tensor<i1>
    coat.require %known {message = "expected kind 1 or 2, got another"} : tensor<i1>
    %list, %count = coat.non_zero %x : (tensor<3x4xf32>) -> (tensor<24xi64>, tensor<i64>)
    %number = tensor.extract %count[] : tensor<i64>
    %index = arith.index_cast %number : i64 to index
    %low = arith.maxsi %index, %c0 : index
    %n = arith.minsi %low, %c12 : index
    %at = coat.prefix %list sizes %n : tensor<24xi64> to tensor<2x?xi64>
    return %at, %count : tensor<2x?xi64>, tensor<i64>
  }
}
