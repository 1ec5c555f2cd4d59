// Recurrences along a sequence: formula ops.
//
// What does not depend on the state (the product of the inputs with their weights, and the biases) is an operand: one
// coat.matmul of the whole sequence. What is left is the recurrence.
#ifndef COAT_DIALECT_RECURRENTOPS_TD
#define COAT_DIALECT_RECURRENTOPS_TD

include "coat/Dialect/CoatBase.td"

class Coat_Recurrence<string mnemonic> : Coat_FormulaOp<mnemonic, [AttrSizedOperandSegments]>;

def Coat_RNNOp : Coat_Recurrence<"rnn"> {
  let summary = "the recurrence of a simple recurrent network (ONNX RNN)";
  let description = [{
    For each row n of the batch and each direction d, along the sequence (backwards in the direction reverse, which is the
    second one of bidirectional; at most lengths[n] steps, behind which output is 0):
    h = f(input[t, n] + h * weights[d]); output[t, d, n] = h
    `last` is the state after the last step. Without an initial state it begins with zeros.
    f is `activations[d]` with its alpha and beta: affine, elu, hard_sigmoid, leaky_relu, relu, scaled_tanh, sigmoid,
    softplus, softsign, tanh or thresholded_relu. With `clip` c its argument is held within [-c, c].

    Constraints:
    * C1: input is [T, N, D * H] and weights [D, H, H]; D is 2 where direction is bidirectional, else 1; H is static.
    * C2: initial is [D, N, H].
    * C3: lengths are i32 or i64 [N].
    * C4: all tensors but lengths have one floating-point element type.
    * C5: one activation, alpha and beta for each direction, each activation one of those above.
    * C6: clip is at least 0.

    Example:
    ```mlir
    %y, %h = coat.rnn(%x, %r) {direction = #coat<direction forward>, activations = ["tanh"], alpha = array<f64: 0.0>, beta = array<f64: 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<?x2x8xf32>, tensor<1x8x8xf32>) -> (tensor<?x1x2x8xf32>, tensor<1x2x8xf32>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$weights, Optional<Coat_Tensor>:$initial,
    Optional<Coat_Tensor>:$lengths, Coat_DirectionAttr:$direction, StrArrayAttr:$activations, DenseF64ArrayAttr:$alpha,
    DenseF64ArrayAttr:$beta, OptionalAttr<F64Attr>:$clip);
  let results = (outs Coat_Tensor:$output, Coat_Tensor:$last);
  let assemblyFormat = "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

def Coat_GRUOp : Coat_Recurrence<"gru"> {
  let summary = "the recurrence of gated recurrent units (ONNX GRU)";
  let description = [{
    As coat.rnn, with three columns a unit in the order z, r, h of input and weights (R):
    z = f(input_z + h * R_z); r = f(input_r + h * R_r)
    h' = g(input_h + (r . h) * R_h), or g(input_h + r . (h * R_h + bias)) with linear_before_reset
    h = (1 - z) . h' + z . h

    Constraints:
    * C1: input is [T, N, D * 3 H] and weights [D, H, 3 H]; D is 2 where direction is bidirectional, else 1; H is static.
    * C2: initial is [D, N, H]; bias is [D, H], and only there with linear_before_reset.
    * C3: lengths are i32 or i64 [N].
    * C4: all tensors but lengths have one floating-point element type.
    * C5: two activations (f, g), alphas and betas for each direction, each activation one of coat.rnn's.
    * C6: clip is at least 0.

    Example:
    ```mlir
    %y, %h = coat.gru(%x, %r) {direction = #coat<direction forward>, activations = ["sigmoid", "tanh"], alpha = array<f64: 0.0, 0.0>, beta = array<f64: 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<?x2x24xf32>, tensor<1x8x24xf32>) -> (tensor<?x1x2x8xf32>, tensor<1x2x8xf32>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$weights, Optional<Coat_Tensor>:$bias,
    Optional<Coat_Tensor>:$initial, Optional<Coat_Tensor>:$lengths, Coat_DirectionAttr:$direction,
    StrArrayAttr:$activations, DenseF64ArrayAttr:$alpha, DenseF64ArrayAttr:$beta, OptionalAttr<F64Attr>:$clip,
    UnitAttr:$linear_before_reset);
  let results = (outs Coat_Tensor:$output, Coat_Tensor:$last);
  let assemblyFormat = "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

def Coat_LSTMOp : Coat_Recurrence<"lstm"> {
  let summary = "the recurrence of a long short-term memory (ONNX LSTM)";
  let description = [{
    As coat.rnn, with four columns a unit in the order i, o, f, c of input and weights (R), and peepholes P (i, o, f):
    i = f(input_i + h * R_i + P_i . c); f = f(input_f + h * R_f + P_f . c), or 1 - i with input_forget
    c = f . c + i . g(input_c + h * R_c); o = f(input_o + h * R_o + P_o . c); h = o . h(c)
    clip is of the gates' sums, not of h's argument (ONNX leaves it open; ONNX Runtime does so).

    Constraints:
    * C1: input is [T, N, D * 4 H] and weights [D, H, 4 H]; D is 2 where direction is bidirectional, else 1; H is static.
    * C2: initial and initial_cell are [D, N, H]; peepholes are [D, 3 H].
    * C3: lengths are i32 or i64 [N].
    * C4: all tensors but lengths have one floating-point element type.
    * C5: three activations (f, g, h), alphas and betas for each direction, each activation one of coat.rnn's.
    * C6: clip is at least 0.

    Example:
    ```mlir
    %y, %h, %c = coat.lstm(%x, %r) {direction = #coat<direction reverse>, activations = ["sigmoid", "tanh", "tanh"], alpha = array<f64: 0.0, 0.0, 0.0>, beta = array<f64: 0.0, 0.0, 0.0>, operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0>} : (tensor<?x2x32xf32>, tensor<1x8x32xf32>) -> (tensor<?x1x2x8xf32>, tensor<1x2x8xf32>, tensor<1x2x8xf32>)
    ```
  }];
  let arguments = (ins Coat_Tensor:$input, Coat_Tensor:$weights, Optional<Coat_Tensor>:$initial,
    Optional<Coat_Tensor>:$initial_cell, Optional<Coat_Tensor>:$peepholes, Optional<Coat_Tensor>:$lengths,
    Coat_DirectionAttr:$direction, StrArrayAttr:$activations, DenseF64ArrayAttr:$alpha, DenseF64ArrayAttr:$beta,
    OptionalAttr<F64Attr>:$clip, UnitAttr:$input_forget);
  let results = (outs Coat_Tensor:$output, Coat_Tensor:$last, Coat_Tensor:$last_cell);
  let assemblyFormat = "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

#endif
