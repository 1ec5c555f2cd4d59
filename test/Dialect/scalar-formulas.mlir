// The scalar formula of every kind against numbers of NumPy: constant folding runs the formula itself.
// RUN: coat-opt %s -canonicalize | FileCheck %s

// CHECK-LABEL: @abs_f32()
// CHECK: dense<[2.500000e+00, 5.000000e-01, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @abs_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise abs %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @neg_f32()
// CHECK: dense<[2.500000e+00, 5.000000e-01, -0.000000e+00, -5.000000e-01, -1.500000e+00, -3.000000e+00]>
func.func @neg_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise neg %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @exp_f32()
// CHECK: dense<[8.208500e-02, 0.606530{{[0-9]*}}, 1.000000e+00, 1.648721{{[0-9]*}}, 4.481688{{[0-9]*}}, 20.08553{{[0-9]*}}]>
func.func @exp_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise exp %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @floor_f32()
// CHECK: dense<[-3.000000e+00, -1.000000e+00, 0.000000e+00, 0.000000e+00, 1.000000e+00, 3.000000e+00]>
func.func @floor_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise floor %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @ceil_f32()
// CHECK: dense<[-2.000000e+00, -0.000000e+00, 0.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00]>
func.func @ceil_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise ceil %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @round_f32()
// CHECK: dense<[-2.000000e+00, -0.000000e+00, 0.000000e+00, 0.000000e+00, 2.000000e+00, 3.000000e+00]>
func.func @round_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise round %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @sign_f32()
// CHECK: dense<[-1.000000e+00, -1.000000e+00, 0.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00]>
func.func @sign_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise sign %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @sin_f32()
// CHECK: dense<[-0.59847{{[0-9]*}}, -0.47942{{[0-9]*}}, 0.000000e+00, 0.479425{{[0-9]*}}, 0.997494{{[0-9]*}}, 1.411200e-01]>
func.func @sin_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise sin %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @cos_f32()
// CHECK: dense<[-0.80114{{[0-9]*}}, 0.877582{{[0-9]*}}, 1.000000e+00, 0.877582{{[0-9]*}}, 7.073720e-02, -0.98999{{[0-9]*}}]>
func.func @cos_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise cos %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @erf_f32()
// CHECK: dense<[-9.995930e-01, -0.52049{{[0-9]*}}, 0.000000e+00, 0.520499{{[0-9]*}}, 0.966105{{[0-9]*}}, 0.999977{{[0-9]*}}]>
func.func @erf_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise erf %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @tanh_f32()
// CHECK: dense<[-0.98661{{[0-9]*}}, -0.46211{{[0-9]*}}, 0.000000e+00, 0.462117{{[0-9]*}}, 0.905148{{[0-9]*}}, 0.995054{{[0-9]*}}]>
func.func @tanh_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise tanh %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @sigmoid_f32()
// CHECK: dense<[0.075858{{[0-9]*}}, 0.377540{{[0-9]*}}, 5.000000e-01, 0.622459{{[0-9]*}}, 0.817574{{[0-9]*}}, 0.952574{{[0-9]*}}]>
func.func @sigmoid_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise sigmoid %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @relu_f32()
// CHECK: dense<[0.000000e+00, 0.000000e+00, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @relu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise relu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @gelu_f32()
// CHECK: dense<[-0.01552{{[0-9]*}}, -0.15426{{[0-9]*}}, 0.000000e+00, 0.345731{{[0-9]*}}, 1.399789{{[0-9]*}}, 2.995950{{[0-9]*}}]>
func.func @gelu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise gelu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @gelu_tanh_f32()
// CHECK: dense<[-0.01508{{[0-9]*}}, -1.542860e-01, 0.000000e+00, 3.457140e-01, 1.399571{{[0-9]*}}, 2.996362{{[0-9]*}}]>
func.func @gelu_tanh_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise gelu_tanh %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @silu_f32()
// CHECK: dense<[-0.18964{{[0-9]*}}, -0.18877{{[0-9]*}}, 0.000000e+00, 0.311229{{[0-9]*}}, 1.226361{{[0-9]*}}, 2.857722{{[0-9]*}}]>
func.func @silu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise silu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @softplus_f32()
// CHECK: dense<[0.078889{{[0-9]*}}, 4.740770e-01, 0.693147{{[0-9]*}}, 0.974076{{[0-9]*}}, 1.701413{{[0-9]*}}, 3.048587{{[0-9]*}}]>
func.func @softplus_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise softplus %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @softsign_f32()
// CHECK: dense<[-0.71428{{[0-9]*}}, -0.33333{{[0-9]*}}, 0.000000e+00, 0.333333{{[0-9]*}}, 6.000000e-01, 7.500000e-01]>
func.func @softsign_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise softsign %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @mish_f32()
// CHECK: dense<[-0.19681{{[0-9]*}}, -0.22074{{[0-9]*}}, 0.000000e+00, 0.375245{{[0-9]*}}, 1.403378{{[0-9]*}}, 2.986535{{[0-9]*}}]>
func.func @mish_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise mish %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @hard_swish_f32()
// CHECK: dense<[-0.20833{{[0-9]*}}, -0.20833{{[0-9]*}}, 0.000000e+00, 0.291666{{[0-9]*}}, 1.125000e+00, 3.000000e+00]>
func.func @hard_swish_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise hard_swish %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @elu_f32()
// CHECK: dense<[-0.91791{{[0-9]*}}, -0.39346{{[0-9]*}}, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @elu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise elu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @elu_alpha_2_0_f32()
// CHECK: dense<[-1.835830e+00, -0.78693{{[0-9]*}}, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @elu_alpha_2_0_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise elu %0 {alpha = 2.0} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @leaky_relu_alpha_0_1_f32()
// CHECK: dense<[-2.500000e-01, -5.000000e-02, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @leaky_relu_alpha_0_1_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise leaky_relu %0 {alpha = 0.1} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @leaky_relu_f32()
// CHECK: dense<[-0.02499{{[0-9]*}}, -5.000000e-03, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @leaky_relu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise leaky_relu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @selu_f32()
// CHECK: dense<[-1.61378{{[0-9]*}}, -0.69175{{[0-9]*}}, 0.000000e+00, 0.525350{{[0-9]*}}, 1.576051{{[0-9]*}}, 3.152102{{[0-9]*}}]>
func.func @selu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise selu %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @celu_alpha_2_0_f32()
// CHECK: dense<[-1.42699{{[0-9]*}}, -0.44239{{[0-9]*}}, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @celu_alpha_2_0_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise celu %0 {alpha = 2.0} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @thresholded_relu_alpha_0_5_f32()
// CHECK: dense<[0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 1.500000e+00, 3.000000e+00]>
func.func @thresholded_relu_alpha_0_5_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise thresholded_relu %0 {alpha = 0.5} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @hard_sigmoid_f32()
// CHECK: dense<[0.000000e+00, 4.000000e-01, 5.000000e-01, 6.000000e-01, 8.000000e-01, 1.000000e+00]>
func.func @hard_sigmoid_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise hard_sigmoid %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @clip_alpha_1_0_beta_2_0_f32()
// CHECK: dense<[-1.000000e+00, -5.000000e-01, 0.000000e+00, 5.000000e-01, 1.500000e+00, 2.000000e+00]>
func.func @clip_alpha_1_0_beta_2_0_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise clip %0 {alpha = -1.0, beta = 2.0} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @clip_beta_2_0_f32()
// CHECK: dense<[-2.500000e+00, -5.000000e-01, 0.000000e+00, 5.000000e-01, 1.500000e+00, 2.000000e+00]>
func.func @clip_beta_2_0_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise clip %0 {beta = 2.0} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @clip_alpha_1_0_f32()
// CHECK: dense<[-1.000000e+00, -5.000000e-01, 0.000000e+00, 5.000000e-01, 1.500000e+00, 3.000000e+00]>
func.func @clip_alpha_1_0_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-2.5, -0.5, 0.0, 0.5, 1.5, 3.0]> : tensor<6xf32>
  %r = coat.elementwise clip %0 {alpha = -1.0} : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @log_f32()
// CHECK: dense<[-1.38629{{[0-9]*}}, -0.69314{{[0-9]*}}, 0.000000e+00, 0.693147{{[0-9]*}}, 1.386294{{[0-9]*}}, 2.197224{{[0-9]*}}]>
func.func @log_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[0.25, 0.5, 1.0, 2.0, 4.0, 9.0]> : tensor<6xf32>
  %r = coat.elementwise log %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @sqrt_f32()
// CHECK: dense<[5.000000e-01, 0.707106{{[0-9]*}}, 1.000000e+00, 1.414213{{[0-9]*}}, 2.000000e+00, 3.000000e+00]>
func.func @sqrt_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[0.25, 0.5, 1.0, 2.0, 4.0, 9.0]> : tensor<6xf32>
  %r = coat.elementwise sqrt %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @reciprocal_f32()
// CHECK: dense<[4.000000e+00, 2.000000e+00, 1.000000e+00, 5.000000e-01, 2.500000e-01, 0.111111{{[0-9]*}}]>
func.func @reciprocal_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[0.25, 0.5, 1.0, 2.0, 4.0, 9.0]> : tensor<6xf32>
  %r = coat.elementwise reciprocal %0 : (tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @add_f32()
// CHECK: dense<[-4.000000e+00, 4.000000e+00, -1.000000e+01, 1.000000e+01, 7.500000e+00, -3.000000e+00]>
func.func @add_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise add %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @sub_f32()
// CHECK: dense<[-1.000000e+01, 1.000000e+01, -4.000000e+00, 4.000000e+00, 3.500000e+00, -9.000000e+00]>
func.func @sub_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise sub %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @mul_f32()
// CHECK: dense<[-2.100000e+01, -2.100000e+01, 2.100000e+01, 2.100000e+01, 1.100000e+01, -1.800000e+01]>
func.func @mul_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise mul %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @div_f32()
// CHECK: dense<[-2.33333{{[0-9]*}}, -2.33333{{[0-9]*}}, 2.333333{{[0-9]*}}, 2.333333{{[0-9]*}}, 2.750000e+00, -2.000000e+00]>
func.func @div_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise div %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @min_f32()
// CHECK: dense<[-7.000000e+00, -3.000000e+00, -7.000000e+00, 3.000000e+00, 2.000000e+00, -6.000000e+00]>
func.func @min_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise min %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @max_f32()
// CHECK: dense<[3.000000e+00, 7.000000e+00, -3.000000e+00, 7.000000e+00, 5.500000e+00, 3.000000e+00]>
func.func @max_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise max %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @mod_f32()
// CHECK: dense<[2.000000e+00, -2.000000e+00, -1.000000e+00, 1.000000e+00, 1.500000e+00, 0.000000e+00]>
func.func @mod_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise mod %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @fmod_f32()
// CHECK: dense<[-1.000000e+00, 1.000000e+00, -1.000000e+00, 1.000000e+00, 1.500000e+00, -0.000000e+00]>
func.func @fmod_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise fmod %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @prelu_f32()
// CHECK: dense<[-2.100000e+01, 7.000000e+00, 2.100000e+01, 7.000000e+00, 5.500000e+00, -1.800000e+01]>
func.func @prelu_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise prelu %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @pow_f32()
// CHECK: dense<[1.562500e-02, 8.000000e+00, 1.000000e+00, 8.000000e+00, 1.600000e+01, 7.290000e+02]>
func.func @pow_f32() -> tensor<6xf32> {
  %0 = arith.constant dense<[0.25, 0.5, 1.0, 2.0, 4.0, 9.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise pow %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xf32>
  return %r : tensor<6xf32>
}

// CHECK-LABEL: @equal_f32()
// CHECK: dense<false>
func.func @equal_f32() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise equal %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @less_f32()
// CHECK: dense<[true, false, true, false, false, true]>
func.func @less_f32() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise less %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @less_equal_f32()
// CHECK: dense<[true, false, true, false, false, true]>
func.func @less_equal_f32() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise less_equal %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @greater_f32()
// CHECK: dense<[false, true, false, true, true, false]>
func.func @greater_f32() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise greater %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @greater_equal_f32()
// CHECK: dense<[false, true, false, true, true, false]>
func.func @greater_equal_f32() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7.0, 7.0, -7.0, 7.0, 5.5, -6.0]> : tensor<6xf32>
  %1 = arith.constant dense<[3.0, -3.0, -3.0, 3.0, 2.0, 3.0]> : tensor<6xf32>
  %r = coat.elementwise greater_equal %0, %1 : (tensor<6xf32>, tensor<6xf32>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @add_i64()
// CHECK: dense<[-4, 4, -10, 10, 10, -3]>
func.func @add_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise add %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @sub_i64()
// CHECK: dense<[-10, 10, -4, 4, 0, -9]>
func.func @sub_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise sub %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @mul_i64()
// CHECK: dense<[-21, -21, 21, 21, 25, -18]>
func.func @mul_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise mul %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @div_i64()
// CHECK: dense<[-2, -2, 2, 2, 1, -2]>
func.func @div_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise div %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @min_i64()
// CHECK: dense<[-7, -3, -7, 3, 5, -6]>
func.func @min_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise min %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @max_i64()
// CHECK: dense<[3, 7, -3, 7, 5, 3]>
func.func @max_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise max %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @mod_i64()
// CHECK: dense<[2, -2, -1, 1, 0, 0]>
func.func @mod_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise mod %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @fmod_i64()
// CHECK: dense<[-1, 1, -1, 1, 0, 0]>
func.func @fmod_i64() -> tensor<6xi64> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise fmod %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi64>
  return %r : tensor<6xi64>
}

// CHECK-LABEL: @abs_i32()
// CHECK: dense<[7, 7, 7, 7, 5, 6]>
func.func @abs_i32() -> tensor<6xi32> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi32>
  %r = coat.elementwise abs %0 : (tensor<6xi32>) -> tensor<6xi32>
  return %r : tensor<6xi32>
}

// CHECK-LABEL: @neg_i32()
// CHECK: dense<[7, -7, 7, -7, -5, 6]>
func.func @neg_i32() -> tensor<6xi32> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi32>
  %r = coat.elementwise neg %0 : (tensor<6xi32>) -> tensor<6xi32>
  return %r : tensor<6xi32>
}

// CHECK-LABEL: @sign_i32()
// CHECK: dense<[-1, 1, -1, 1, 1, -1]>
func.func @sign_i32() -> tensor<6xi32> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi32>
  %r = coat.elementwise sign %0 : (tensor<6xi32>) -> tensor<6xi32>
  return %r : tensor<6xi32>
}

// CHECK-LABEL: @relu_i32()
// CHECK: dense<[0, 7, 0, 7, 5, 0]>
func.func @relu_i32() -> tensor<6xi32> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi32>
  %r = coat.elementwise relu %0 : (tensor<6xi32>) -> tensor<6xi32>
  return %r : tensor<6xi32>
}

// CHECK-LABEL: @clip_alpha_5_5_beta_1_0e30_i32()
// CHECK: dense<[-5, 7, -5, 7, 5, -5]>
func.func @clip_alpha_5_5_beta_1_0e30_i32() -> tensor<6xi32> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi32>
  %r = coat.elementwise clip %0 {alpha = -5.5, beta = 1.0e30} : (tensor<6xi32>) -> tensor<6xi32>
  return %r : tensor<6xi32>
}

// CHECK-LABEL: @equal_i64()
// CHECK: dense<[false, false, false, false, true, false]>
func.func @equal_i64() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise equal %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @less_i64()
// CHECK: dense<[true, false, true, false, false, true]>
func.func @less_i64() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise less %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @less_equal_i64()
// CHECK: dense<[true, false, true, false, true, true]>
func.func @less_equal_i64() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise less_equal %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @greater_i64()
// CHECK: dense<[false, true, false, true, false, false]>
func.func @greater_i64() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise greater %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @greater_equal_i64()
// CHECK: dense<[false, true, false, true, true, false]>
func.func @greater_equal_i64() -> tensor<6xi1> {
  %0 = arith.constant dense<[-7, 7, -7, 7, 5, -6]> : tensor<6xi64>
  %1 = arith.constant dense<[3, -3, -3, 3, 5, 3]> : tensor<6xi64>
  %r = coat.elementwise greater_equal %0, %1 : (tensor<6xi64>, tensor<6xi64>) -> tensor<6xi1>
  return %r : tensor<6xi1>
}

// CHECK-LABEL: @logical_and_i1()
// CHECK: dense<[false, false, false, true]>
func.func @logical_and_i1() -> tensor<4xi1> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %1 = arith.constant dense<[false, true, false, true]> : tensor<4xi1>
  %r = coat.elementwise logical_and %0, %1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @logical_or_i1()
// CHECK: dense<[false, true, true, true]>
func.func @logical_or_i1() -> tensor<4xi1> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %1 = arith.constant dense<[false, true, false, true]> : tensor<4xi1>
  %r = coat.elementwise logical_or %0, %1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @logical_xor_i1()
// CHECK: dense<[false, true, true, false]>
func.func @logical_xor_i1() -> tensor<4xi1> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %1 = arith.constant dense<[false, true, false, true]> : tensor<4xi1>
  %r = coat.elementwise logical_xor %0, %1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @logical_not_i1()
// CHECK: dense<[true, true, false, false]>
func.func @logical_not_i1() -> tensor<4xi1> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %r = coat.elementwise logical_not %0 : (tensor<4xi1>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @equal_i1()
// CHECK: dense<[true, false, false, true]>
func.func @equal_i1() -> tensor<4xi1> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %1 = arith.constant dense<[false, true, false, true]> : tensor<4xi1>
  %r = coat.elementwise equal %0, %1 : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  return %r : tensor<4xi1>
}

// CHECK-LABEL: @select_i1()
// CHECK: dense<[10, 11, 2, 3]>
func.func @select_i1() -> tensor<4xi64> {
  %0 = arith.constant dense<[false, false, true, true]> : tensor<4xi1>
  %1 = arith.constant dense<[0, 1, 2, 3]> : tensor<4xi64>
  %2 = arith.constant dense<[10, 11, 12, 13]> : tensor<4xi64>
  %r = coat.elementwise select %0, %1, %2 : (tensor<4xi1>, tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  return %r : tensor<4xi64>
}

// CHECK-LABEL: @mul_f16()
// CHECK: dense<[2.250000e+00, 5.062500e+00, 1.562500e-02]>
func.func @mul_f16() -> tensor<3xf16> {
  %0 = arith.constant dense<[1.5, -2.25, 0.125]> : tensor<3xf16>
  %1 = arith.constant dense<[1.5, -2.25, 0.125]> : tensor<3xf16>
  %r = coat.elementwise mul %0, %1 : (tensor<3xf16>, tensor<3xf16>) -> tensor<3xf16>
  return %r : tensor<3xf16>
}

// CHECK-LABEL: @pow_i32()
// CHECK: dense<[-27, 1, 0, -1, 0]>
func.func @pow_i32() -> tensor<5xi32> {
  %0 = arith.constant dense<[-3, 7, 2, -1, 2]> : tensor<5xi32>
  %1 = arith.constant dense<[3, 0, -1, -3, 32]> : tensor<5xi32>
  %r = coat.elementwise pow %0, %1 : (tensor<5xi32>, tensor<5xi32>) -> tensor<5xi32>
  return %r : tensor<5xi32>
}

// CHECK-LABEL: @shift_right_i8()
// CHECK: dense<[-2, 3, -1, 0]>
func.func @shift_right_i8() -> tensor<4xi8> {
  %0 = arith.constant dense<[-4, 6, -4, 6]> : tensor<4xi8>
  %1 = arith.constant dense<[1, 1, 8, -1]> : tensor<4xi8>
  %r = coat.elementwise shift_right %0, %1 : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %r : tensor<4xi8>
}

// CHECK-LABEL: @shift_left_ui8()
// CHECK: dense<[8, 0]>
func.func @shift_left_ui8() -> tensor<2xui8> {
  %0 = arith.constant dense<[4, 200]> : tensor<2xui8>
  %1 = arith.constant dense<[1, 8]> : tensor<2xui8>
  %r = coat.elementwise shift_left %0, %1 : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return %r : tensor<2xui8>
}

// CHECK-LABEL: @bitwise_i8()
// CHECK: dense<[-6, 0]>
// CHECK: dense<[1, 0]>
// CHECK: dense<[7, -1]>
// CHECK: dense<[6, -1]>
func.func @bitwise_i8() -> (tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>) {
  %0 = arith.constant dense<[5, -1]> : tensor<2xi8>
  %1 = arith.constant dense<[3, 0]> : tensor<2xi8>
  %n = coat.elementwise bitwise_not %0 : (tensor<2xi8>) -> tensor<2xi8>
  %a = coat.elementwise bitwise_and %0, %1 : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  %o = coat.elementwise bitwise_or %0, %1 : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  %x = coat.elementwise bitwise_xor %0, %1 : (tensor<2xi8>, tensor<2xi8>) -> tensor<2xi8>
  return %n, %a, %o, %x : tensor<2xi8>, tensor<2xi8>, tensor<2xi8>, tensor<2xi8>
}
