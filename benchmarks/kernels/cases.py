"""One kernel of one op as the contenders see it: an ONNX model for coat, a call of oneDNN, calls of torch and NumPy, the data, the
right result and the floating-point operations.

The ONNX models take and give images channels-last, between transposes that cancel at compile time: so does a layer inside a
network, and so does oneDNN with its blocked formats.
"""
import ctypes
from dataclasses import dataclass, field
from typing import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import shapes

FLOAT = TensorProto.FLOAT


@dataclass
class Case:
    name: str
    flops: float
    model: onnx.ModelProto
    inputs: list  # of coat
    output: np.ndarray  # as coat gives it
    onednn: dict = field(default_factory=dict)  # name: (function, arguments), and how its result reads in coat's order
    order: Callable = lambda result: result
    torch: dict = field(default_factory=dict)  # name: function of the torch module that returns a function to time
    numpy: dict = field(default_factory=dict)


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def model(nodes, inputs, output, constants=()):
    values = [helper.make_tensor_value_info(n, FLOAT, s) for n, s in inputs]
    graph = helper.make_graph(nodes, "kernel", values, [helper.make_tensor_value_info("y", FLOAT, output)],
                              [numpy_helper.from_array(a, n) for n, a in constants])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def between_transposes(node, source, result):
    return [helper.make_node("Transpose", ["x"], [source], perm=[0, 3, 1, 2]), node,
            helper.make_node("Transpose", [result], ["y"], perm=[0, 2, 3, 1])]


def convolution(name):
    import torch
    h, ic, oc, k, stride, groups = shapes.CONVOLUTIONS[name]
    pad, out = k // 2, (h + 2 * (k // 2) - k) // stride + 1
    x, w = random(1, 1, ic, h, h), random(2, oc, ic // groups, k, k) / np.float32((ic // groups * k * k)**0.5)
    node = helper.make_node("Conv", ["a", "w"], ["b"], pads=[pad] * 4, strides=[stride] * 2, group=groups)
    nhwc = lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1))
    tx, tw = torch.from_numpy(x), torch.from_numpy(w)
    expected = torch.conv2d(tx.double(), tw.double(), stride=stride, padding=pad, groups=groups).float().numpy()

    def blocked():
        from torch.utils import mkldnn
        layer = torch.nn.Conv2d(ic, oc, k, stride, pad, groups=groups, bias=False)
        layer.weight.data = tw
        packed, image = mkldnn.to_mkldnn(layer.eval()), tx.to_mkldnn()
        return lambda: packed(image)

    def channels_last():
        image, weight = tx.to(memory_format=torch.channels_last), tw.to(memory_format=torch.channels_last)
        return lambda: torch.conv2d(image, weight, stride=stride, padding=pad, groups=groups)

    return Case(name, 2.0 * out * out * oc * ic // groups * k * k,
                model(between_transposes(node, "a", "b"), [("x", [1, h, h, ic])], [1, out, out, oc], [("w", w)]), [nhwc(x)], nhwc(expected),
                {"onednn": ("dnnlConv", (x, w, h, h, ic, oc, k, stride, pad, groups))}, lambda r: nhwc(r.reshape(1, oc, out, out)),
                {"torch blocked": blocked, "torch channels-last": channels_last})


def product(name):
    import torch
    m, n, k = shapes.PRODUCTS[name]
    x, w = random(1, m, k), random(2, k, n) / np.float32(k**0.5)
    result = np.empty((m, n), np.float32)
    tx, tw, ty = torch.from_numpy(x), torch.from_numpy(w), torch.empty(m, n)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return Case(name, 2.0 * m * n * k, model(nodes, [("x", [m, k])], [m, n], [("w", w)]), [x],
                (x.astype(np.float64) @ w).astype(np.float32),
                {"onednn": ("dnnlProduct", (x, w, m, n, k)), "onednn inner": ("dnnlInnerProduct", (x, w, m, n, k))},
                torch={"torch (MKL)": lambda: lambda: torch.mm(tx, tw, out=ty)},
                numpy={"numpy (OpenBLAS)": lambda: np.matmul(x, w, out=result)})


def attention(name):
    import torch
    h, s, d, causal = shapes.ATTENTIONS[name]
    q, k, v = (random(i, 1, h, s, d) for i in range(3))
    tensors = [torch.from_numpy(a) for a in (q, k, v)]
    sdpa = torch.nn.functional.scaled_dot_product_attention
    expected = sdpa(*(t.double() for t in tensors), is_causal=causal).float().numpy()
    node = helper.make_node("Attention", ["q", "k", "v"], ["y"], is_causal=int(causal))
    work = s * (s + 1) / 2 if causal else s * s
    return Case(name, 4.0 * h * work * d, model([node], [(n, [1, h, s, d]) for n in "qkv"], [1, h, s, d]), [q, k, v], expected,
                torch={"torch sdpa": lambda: lambda: sdpa(*tensors, is_causal=causal)})


def pool(name):
    import torch
    h, c, k, stride, pad, average = shapes.POOLS[name]
    out = (h + 2 * pad - k) // stride + 1
    x = random(1, 1, c, h, h)
    node = helper.make_node("AveragePool" if average else "MaxPool", ["a"], ["b"], kernel_shape=[k, k], pads=[pad] * 4, strides=[stride] * 2)
    nhwc = lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1))
    tx = torch.from_numpy(x)

    def run(image):
        if average:
            return torch.nn.functional.avg_pool2d(image, k, stride, pad, count_include_pad=False)
        return torch.nn.functional.max_pool2d(image, k, stride, pad)

    def variant(image):
        return lambda: lambda: run(image)

    return Case(name, float(out * out * c * k * k), model(between_transposes(node, "a", "b"), [("x", [1, h, h, c])], [1, out, out, c]),
                [nhwc(x)], nhwc(run(tx).numpy()), {"onednn": ("dnnlPool", (x, h, h, c, k, stride, pad, int(average)))},
                lambda r: nhwc(r.reshape(1, c, out, out)),
                {"torch": variant(tx), "torch channels-last": variant(tx.to(memory_format=torch.channels_last))})


def layer_norm(name):
    import torch
    rows, size = shapes.NORMS[name]
    x, scale, shift = random(1, rows, size), random(2, size), random(3, size)
    node = helper.make_node("LayerNormalization", ["x", "s", "b"], ["y"], axis=-1, epsilon=1e-6)
    tx, ts, tb = map(torch.from_numpy, (x, scale, shift))
    run = lambda x, s, b: torch.nn.functional.layer_norm(x, (size, ), s, b, 1e-6)
    return Case(name, 8.0 * rows * size, model([node], [("x", [rows, size])], [rows, size], [("s", scale), ("b", shift)]), [x],
                run(tx.double(), ts.double(), tb.double()).float().numpy(),
                {"onednn": ("dnnlLayerNorm", (x, scale, shift, rows, size, ctypes.c_float(1e-6)))}, torch={"torch": lambda: lambda: run(tx, ts, tb)})


def softmax(name):
    import torch
    rows, size = shapes.SOFTMAXES[name]
    x = random(1, rows, size)
    tx = torch.from_numpy(x)
    return Case(name, 5.0 * rows * size, model([helper.make_node("Softmax", ["x"], ["y"], axis=-1)], [("x", [rows, size])], [rows, size]), [x],
                torch.softmax(tx.double(), -1).float().numpy(), {"onednn": ("dnnlSoftmax", (x, rows, size))},
                torch={"torch": lambda: lambda: torch.softmax(tx, -1)})


MAKERS = {**dict.fromkeys(shapes.CONVOLUTIONS, convolution), **dict.fromkeys(shapes.PRODUCTS, product),
          **dict.fromkeys(shapes.ATTENTIONS, attention), **dict.fromkeys(shapes.POOLS, pool), **dict.fromkeys(shapes.NORMS, layer_norm),
          **dict.fromkeys(shapes.SOFTMAXES, softmax)}
