// RUN: coat-opt %s | coat-opt | FileCheck %s

// CHECK-LABEL: @quant
func.func @quant(%x: tensor<?x8x7xf32>, %s: tensor<8x1xf32>, %z: tensor<8x1xui8>) -> tensor<?x8x7xf32> {
  // CHECK: coat.quantize %{{.*}} : (tensor<?x8x7xf32>, tensor<8x1xf32>, tensor<8x1xui8>) -> tensor<?x8x7xui8>
  %0 = coat.quantize %x, %s, %z : (tensor<?x8x7xf32>, tensor<8x1xf32>, tensor<8x1xui8>) -> tensor<?x8x7xui8>
  // CHECK: coat.dequantize %{{.*}} : (tensor<?x8x7xui8>, tensor<8x1xf32>, tensor<8x1xui8>) -> tensor<?x8x7xf32>
  %1 = coat.dequantize %0, %s, %z : (tensor<?x8x7xui8>, tensor<8x1xf32>, tensor<8x1xui8>) -> tensor<?x8x7xf32>
  // CHECK: coat.bitcast %{{.*}} {element_type = i32} : (tensor<?x8x7xf32>) -> tensor<?x8x7xi32>
  %2 = coat.bitcast %1 {element_type = i32} : (tensor<?x8x7xf32>) -> tensor<?x8x7xi32>
  %3 = coat.bitcast %2 {element_type = f32} : (tensor<?x8x7xi32>) -> tensor<?x8x7xf32>
  return %3 : tensor<?x8x7xf32>
}
