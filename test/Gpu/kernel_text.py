"""Kernels of one op, as the Kernels stage leaves them: MLIR text, and their arguments as torch tensors."""
import torch

TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32, "i1": torch.bool}


def tensor(shape, type):
    return f"tensor<{'x'.join(map(str, shape))}x{type}>"


def memref(shape, type, strides=None):
    layout = f", strided<[{', '.join(map(str, strides))}]>" if strides else ""
    return f"memref<{'x'.join(map(str, shape))}x{type}{layout}>"


class Kernel:
    """Arguments that are widened to f32 where they are narrow; the last is the result, which is rounded."""

    def __init__(self, name="k0", tile=None):
        self.name, self.tile, self.arguments, self.lines = name, tile, [], []

    def argument(self, shape, type, strides=None):
        number, kind = len(self.arguments), memref(shape, type, strides)
        self.arguments.append(f"%a{number}: {kind}")
        self.lines.append(f"%t{number} = bufferization.to_tensor %a{number} restrict : {kind} to {tensor(shape, type)}")
        if type in ("f32", "i1"):
            return f"%t{number}"
        self.lines.append(f"%w{number} = coat.cast %t{number} : {tensor(shape, type)} to {tensor(shape, 'f32')}")
        return f"%w{number}"

    def op(self, text, operands, types, shape):
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {text} : ({', '.join(types)}) -> {tensor(shape, 'f32')}")
        return name

    def result(self, value, shape, type, strides=None):
        number, kind = len(self.arguments), memref(shape, type, strides)
        self.arguments.append(f"%a{number}: {kind}")
        if type != "f32":
            self.lines.append(f"%r = coat.cast {value} : {tensor(shape, 'f32')} to {tensor(shape, type)}")
            value = "%r"
        self.lines.append(f"bufferization.materialize_in_destination {value} in restrict writable %a{number} : "
                          f"({tensor(shape, type)}, {kind}) -> ()")
        tile = f", coat.gpu_tile = array<i64: {', '.join(map(str, self.tile))}>" if self.tile else ""
        return (f"func.func private @{self.name}({', '.join(self.arguments)}) attributes {{coat.kernel{tile}}} {{\n  "
                + "\n  ".join(self.lines) + "\n  return\n}\n")


def epilogue(kernel, value, shape, type, residual, activation):
    f32 = tensor(shape, "f32")
    if residual:
        other = kernel.argument(shape, type)
        value = kernel.op(f"coat.elementwise add {value}, {other}", [value, other], [f32, f32], shape)
    if activation:
        value = kernel.op(f"coat.elementwise {activation} {value}", [value], [f32], shape)
    return kernel.result(value, shape, type)


def matmul(left, right, type, transpose_lhs=False, transpose_rhs=False, bias=False, residual=False, activation=None, tile=None):
    kernel = Kernel(tile=tile)
    rows, columns = left[-1 if transpose_lhs else -2], right[-2 if transpose_rhs else -1]
    shape = list(max(left[:-2], right[:-2], key=len)) + [rows, columns]
    operands = [kernel.argument(left, type), kernel.argument(right, type)]
    types = [tensor(left, "f32"), tensor(right, "f32")]
    text = f"coat.matmul {operands[0]}, {operands[1]}"
    if bias:
        text += f" bias {kernel.argument([columns], type)}"
        types.append(tensor([columns], "f32"))
    flags = [name for name, on in (("transpose_lhs", transpose_lhs), ("transpose_rhs", transpose_rhs)) if on]
    value = kernel.op(f"{text} {{{', '.join(flags)}}}", operands, types, shape)
    return epilogue(kernel, value, shape, type, residual, activation), shape


def conv(batch, spatial, channels, outputs, window, type, stride=1, pad=0, dilation=1, group=1, bias=True, residual=False,
         activation="relu", filter_strides=None, tile=None):
    """Channels last; the filter is [M, C/group, K..] with the strides of [M, K.., C/group] unless they are given."""
    kernel, dims = Kernel(tile=tile), len(window)
    places = [(s + 2 * pad - dilation * (k - 1) - 1) // stride + 1 for s, k in zip(spatial, window)]
    source, weights, shape = [batch, *spatial, channels], [outputs, channels // group, *window], [batch, *places, outputs]
    if filter_strides is None:
        filter_strides, step = [0, 1] + [0] * dims, channels // group
        for i in reversed(range(dims)):
            filter_strides[2 + i], step = step, step * window[i]
        filter_strides[0] = step
    operands = [kernel.argument(source, type), kernel.argument(weights, type, filter_strides)]
    types = [tensor(source, "f32"), tensor(weights, "f32")]
    text = f"coat.conv {operands[0]}, {operands[1]}"
    if bias:
        text += f" bias {kernel.argument([outputs], type)}"
        types.append(tensor([outputs], "f32"))
    array = lambda value, count: f"array<i64: {', '.join([str(value)] * count)}>"
    text += (f" {{strides = {array(stride, dims)}, dilations = {array(dilation, dims)}, pads = {array(pad, 2 * dims)}, "
             f"group = {group} : i64, data_layout = #coat<layout channels_last>}}")
    value = kernel.op(text, operands, types, shape)
    return epilogue(kernel, value, shape, type, residual, activation), shape


def attention(batch, heads, key_heads, queries, keys, depth, width, type, mask=None, causal=False, softcap=0.0, offset=None):
    """`mask`: (shape, type) or None."""
    kernel = Kernel()
    shapes = [[batch, heads, queries, depth], [batch, key_heads, keys, depth], [batch, key_heads, keys, width]]
    operands = [kernel.argument(shape, type) for shape in shapes]
    types = [tensor(shape, "f32") for shape in shapes]
    text = "coat.attention " + ", ".join(operands)
    if mask:
        text += f" mask {kernel.argument(*mask)}"
        types.append(tensor(mask[0], "i1" if mask[1] == "i1" else "f32"))
    if offset is not None:
        kernel.lines.append(f"%offset = arith.constant {offset} : index")
        text += " offset %offset"
        types.append("index")
    shape = [batch, heads, queries, width]
    flags = f"scale = {depth ** -0.5!r} : f64, softcap = {softcap!r} : f64" + (", causal" if causal else "")
    return kernel.result(kernel.op(f"{text} {{{flags}}}", operands, types, shape), shape, type), shape
