// Convolution by Winograd's minimal filtering, in its two halves; Layout makes them of coat.conv.
#ifndef COAT_DIALECT_WINOGRADOPS_TD
#define COAT_DIALECT_WINOGRADOPS_TD

include "coat/Dialect/CoatBase.td"

// The sizes of both halves, as coat::WinogradTile has them.
defvar Coat_WinogradSizes = (ins I64Attr:$tile, DefaultValuedAttr<I64Attr, "3">:$taps,
  DefaultValuedAttr<I64Attr, "1">:$stride, DefaultValuedAttr<I64Attr, "1">:$fold);

def Coat_WinogradInputOp : Coat_InferredOp<"winograd_input", [Coat_ResultTiled]> {
  let summary = "input transform of a Winograd convolution F(m x m, r x r)";
  let description = [{
    The transform for a convolution by `taps` x `taps`, m = `tile`. With r = taps
    the input is cut into tiles of a = (m - 1) * stride + r rows and columns,
    m * stride apart, so that neighbours overlap. Of each tile d and each channel

    ```
    out[n, c / 16, i * a + j, t, c mod 16] = (B^T d B)[i, j]
    ```
    where t counts tiles row by row and B^T is the constant matrix of F(m, r). With
    stride 2, it is F(m, 2) on the even inputs, which meet the first and last tap,
    followed by the odd inputs as they are. Rows and columns behind the last whole
    tile are not read. Why this order of dimensions: a product reads one (i, j) of
    many tiles, and the channels of a tile in runs of 16. Channels beyond C in the
    last block are undefined.

    With `fold` f, f rows of the input count as one, whose channels they are; columns
    are folded already, by a reshape. r is then taps / f, rounded up, and the stride
    above stride / f: a stride of 2 over few channels becomes one of 1.

    Constraints:
    * C1: the input is [N, H, W, C], f32, with only N symbolic.
    * C2: (m, r) is (2, 3), (4, 3), (2, 5) or (4, 4), with a stride of 2 that is not folded (2, 3) or (4, 3);
      stride and fold are 1 or 2, fold not more than stride.
    * C3: H / f and W are at least a.
    * C4: f is 1, or f * C at most 16.

    Example:
    ```mlir
    %0 = coat.winograd_input %x {tile = 4 : i64} : tensor<1x58x58x64xf32> -> tensor<1x4x36x196x16xf32>
    ```
  }];
  let arguments = !con((ins Coat_Tensor:$input), Coat_WinogradSizes);
  let results = (outs Coat_Tensor:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "const ::coat::WinogradTile &":$tile), [{
    build($_builder, $_state, input, tile.outputs, tile.taps, tile.stride, tile.fold);
  }]>];
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Coat_WinogradConvOp : Coat_InferredOp<"winograd_conv", [Coat_ResultTiled]> {
  let summary = "products and output transform of a Winograd convolution F(m x m, r x r)";
  let description = [{
    With V the result of `winograd_input`, a as there, C its channels with folded
    pixels, U the transformed filter
    U[k / 16, x, c, k mod 16] = (G g_{k,c} G^T)[x / a, x mod a]:

    ```
    p[x] = sum over c of V[n, c / 16, x, t, c mod 16] * U[k / 16, x, c, k mod 16]
    out[n, m*th + i, m*tw + j, k] = bias[k] + (A^T p A)[i, j]        t = (th, tw)
    ```
    `output_size` is [H, W] of the result; rows and columns of the last tiles
    beyond it are dropped. `out_channels` is the number of channels k.

    Constraints:
    * C1: the transformed input is [N, ceil(C/16), a*a, T, 16], the filter [ceil(K/16), a*a, C, 16],
      both f32, with only N symbolic, C a multiple of fold^2.
    * C2: the sizes are those of C2 of `winograd_input`.
    * C3: output_size has two entries, each >= 1, and ceil(H/m) * ceil(W/m) = T.
    * C4: bias has rank 1 and K elements.

    Example:
    ```mlir
    %0 = coat.winograd_conv %v, %u bias %b {tile = 4 : i64, output_size = array<i64: 56, 56>, out_channels = 64 : i64}
      : (tensor<1x4x36x196x16xf32>, tensor<4x36x64x16xf32>, tensor<64xf32>) -> tensor<1x56x56x64xf32>
    ```
  }];
  let arguments = !con((ins Coat_Tensor:$transformed, Coat_Tensor:$filter, Optional<Coat_Tensor>:$bias),
    Coat_WinogradSizes, (ins DenseI64ArrayAttr:$output_size, I64Attr:$out_channels));
  let results = (outs Coat_Tensor:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$transformed, "::mlir::Value":$filter, "::mlir::Value":$bias,
      "const ::coat::WinogradTile &":$tile, "::llvm::ArrayRef<int64_t>":$output_size, "int64_t":$out_channels), [{
    build($_builder, $_state, transformed, filter, bias, tile.outputs, tile.taps, tile.stride, tile.fold, output_size,
          out_channels);
  }]>];
  let assemblyFormat = "$transformed `,` $filter (`bias` $bias^)? attr-dict `:` functional-type(operands, results)";
}

#endif
