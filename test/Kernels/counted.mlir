// What only a run can tell, with and without optimization: a size that is counted is read back behind the launch, and the
// result fills the beginning of an argument; a truth is that of a buffer.
// RUN: coat-opt %s --coat-reference -split-input-file | FileCheck %s
// RUN: coat-opt %s --coat-outline-kernels -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @counted(
// CHECK-SAME: %[[X:.*]]: memref<3x4xf32>, %[[Y:[a-z0-9]*]]: memref<2x?xi64> {coat.counted, {{.*}}coat.result}, %[[COUNT:[a-z0-9]*]]: memref<i64> {coat.result})
// CHECK: coat.launch @{{.*}}(%[[X]]) outs(%[[LIST:.*]], %[[COUNT]])
// CHECK: %[[N:.*]] = memref.load %[[COUNT]][]
// CHECK: %[[I:.*]] = arith.index_cast %[[N]]
// CHECK-DAG: %[[FROM:.*]] = memref.reinterpret_cast %[[LIST]] to offset: [0], sizes: [2, %[[I]]], strides: [%[[I]], 1]
// CHECK-DAG: %[[TO:.*]] = memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [2, %[[I]]], strides: [%[[I]], 1]
// CHECK: coat.launch
func.func @counted(%x: tensor<3x4xf32>) -> (tensor<2x?xi64> {coat.counted, coat.dims = ["2", "n"]}, tensor<i64>) attributes {coat.entry} {
  %0:2 = coat.non_zero %x : (tensor<3x4xf32>) -> (tensor<24xi64>, tensor<i64>)
  %n = tensor.extract %0#1[] : tensor<i64>
  %i = arith.index_cast %n : i64 to index
  %1 = coat.prefix %0#0 sizes %i : tensor<24xi64> to tensor<2x?xi64>
  return %1, %0#1 : tensor<2x?xi64>, tensor<i64>
}

// -----

// A result of a static size is the argument itself.
// CHECK-LABEL: func.func @required(
// CHECK: coat.launch @{{.*}}(%{{.*}}) outs(%[[OK:.*]]) : (memref<2xi64>, memref<i1>)
// CHECK: coat.require %[[OK]] {message = "expected another"} : memref<i1>
// CHECK-NOT: reinterpret_cast
// CHECK: return
func.func @required(%v: tensor<2xi64>, %x: tensor<4xf32>) -> tensor<4xf32> attributes {coat.entry} {
  %0 = coat.matches %v {choices = array<i64: 2, 0, 3, -1>} : (tensor<2xi64>) -> tensor<i1>
  coat.require %0 {message = "expected another"} : tensor<i1>
  %1 = coat.elementwise relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
