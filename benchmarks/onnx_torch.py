"""The ONNX graphs of test/models that have no PyTorch program (the light models and Keras's), as a PyTorch module for the peer that
reads no ONNX. Just the ops that they use; any other is named."""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn


def padded(x, pads, value):
    """Padding by ONNX's begins and ends; the symmetric kind is left to the op itself."""
    half = len(pads) // 2
    return F.pad(x, [p for i in reversed(range(half)) for p in (pads[i], pads[i + half])], value=value)


def spatial(a):
    """Padding if it is symmetric, else None."""
    pads = a.get("pads", [0] * (2 * len(a["kernel_shape"])))
    return (pads[:len(pads) // 2], pads) if pads[:len(pads) // 2] == pads[len(pads) // 2:] else (None, pads)


def conv(a, x, w, b=None):
    pad, pads = spatial(a)
    if pad is None:
        x, pad = padded(x, pads, 0), 0
    return F.conv2d(x, w, b, a.get("strides", 1), pad, a.get("dilations", 1), a.get("group", 1))


def max_pool(a, x):
    pad, pads = spatial(a)
    if pad is None:
        x, pad = padded(x, pads, -float("inf")), 0
    return F.max_pool2d(x, a["kernel_shape"], a.get("strides", 1), pad, ceil_mode=bool(a.get("ceil_mode", 0)))


def average_pool(a, x):
    pad, pads = spatial(a)
    if pad is not None:
        return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", 1), pad, bool(a.get("ceil_mode", 0)), bool(a.get("count_include_pad", 0)))
    pool = lambda x: F.avg_pool2d(padded(x, pads, 0), a["kernel_shape"], a.get("strides", 1))
    return pool(x) if a.get("count_include_pad", 0) else pool(x) / pool(torch.ones_like(x))


def softmax(a, x, opset):
    if opset >= 13:
        return torch.softmax(x, a.get("axis", -1))
    return torch.softmax(x.flatten(a.get("axis", 1)), -1).reshape(x.shape)  # older ones see a matrix


def unsqueeze(a, x):
    for axis in sorted(a["axes"]):
        x = x.unsqueeze(axis)
    return x


def reshape(a, x, shape):
    shape = [x.shape[i] if s == 0 and not a.get("allowzero", 0) else s for i, s in enumerate(shape)]
    return x.reshape(shape)


def gemm(a, x, w, b=None):
    x, w = x.T if a.get("transA", 0) else x, w.T if a.get("transB", 0) else w
    y = a.get("alpha", 1.0) * (x @ w) if a.get("alpha", 1.0) != 1 else x @ w
    return y if b is None else y + a.get("beta", 1.0) * b


def total(a, *xs):
    result = xs[0]
    for x in xs[1:]:
        result = result + x
    return result


OPS = {
    "Add": lambda a, x, y: x + y, "AveragePool": average_pool, "Concat": lambda a, *xs: torch.cat(xs, a["axis"]), "Conv": conv,
    "BatchNormalization": lambda a, x, s, b, m, v: F.batch_norm(x, m, v, s, b, eps=a.get("epsilon", 1e-5)),
    "Dropout": lambda a, x, *_: x, "Gemm": gemm, "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "LRN": lambda a, x: F.local_response_norm(x, a["size"], a["alpha"], a["beta"], a.get("bias", 1.0)),
    "MatMul": lambda a, x, y: x @ y, "MaxPool": max_pool, "Mul": lambda a, x, y: x * y, "Relu": lambda a, x: F.relu(x),
    "Reshape": reshape, "Sum": total, "Tanh": lambda a, x: torch.tanh(x),
    "Transpose": lambda a, x: x.permute(a["perm"]), "Unsqueeze": unsqueeze,
}


class Graph(nn.Module):
    """Runs the nodes in order. Raises NotImplementedError on an op that is not in OPS."""

    def __init__(self, path):
        super().__init__()
        model = onnx.load(path)
        self.graph, self.opset = model.graph, model.opset_import[0].version
        self.attributes = [{a.name: onnx.helper.get_attribute_value(a) for a in n.attribute} for n in self.graph.node]
        self.names, self.shapes = {}, {}
        for i, tensor in enumerate(self.graph.initializer):
            array = numpy_helper.to_array(tensor)
            if array.dtype == np.int64:
                self.shapes[tensor.name] = array.tolist()
            else:
                self.names[tensor.name] = f"w{i}"
                self.register_buffer(f"w{i}", torch.from_numpy(array.copy()))
        unknown = {n.op_type for n in self.graph.node} - set(OPS) - {"Softmax"}
        if unknown:
            raise NotImplementedError(f"expected ops of benchmarks/onnx_torch.py, got {sorted(unknown)}")

    def forward(self, *inputs):
        values = self.shapes | {name: getattr(self, at) for name, at in self.names.items()}
        given = [v.name for v in self.graph.input if v.name not in values]
        values |= dict(zip(given, inputs, strict=True))
        for node, attributes in zip(self.graph.node, self.attributes):
            operands = [values[name] for name in node.input if name]
            values[node.output[0]] = softmax(attributes, *operands, self.opset) if node.op_type == "Softmax" else OPS[node.op_type](attributes, *operands)
        return tuple(values[v.name] for v in self.graph.output)
