"""Every attribute of convolution and pooling in 1 to 3 dimensions, and regions, against ONNX Runtime: one model a rank."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import coat

OPSET = 21
SIZE = {1: [11], 2: [11, 9], 3: [7, 8, 5]}


class Graph:
    """Nodes that all read the input x, [2, 6, ..]."""

    def __init__(self, size):
        self.size, self.k, self.nodes, self.weights, self.outputs = size, len(size), [], [], []
        self.random = np.random.default_rng(len(size))

    def weight(self, *shape):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(self.random.standard_normal(shape, np.float32), name))
        return name

    def add(self, op, inputs, outputs=1, **attributes):
        names = [f"y{len(self.outputs) + i}" for i in range(outputs)]
        kinds = [TensorProto.FLOAT, TensorProto.INT64][:outputs]
        self.outputs += [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(names, kinds)]
        self.nodes.append(helper.make_node(op, ["x", *inputs], names, **attributes))

    def model(self):
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 6, *self.size])
        graph = helper.make_graph(self.nodes, "windows", [x], self.outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def convolutions(g):
    k = g.k
    kernel, bias = [3, 2, 3][:k], g.weight(12)
    low, high = [1, 0, 2][:k], [0, 1, 1][:k]
    plain = g.weight(12, 6, *kernel)
    g.add("Conv", [plain, bias], pads=low + high)
    g.add("Conv", [plain], strides=[2, 3, 1][:k], dilations=[2, 1, 1][:k], pads=high + low)
    g.add("Conv", [g.weight(12, 2, *kernel), bias], group=3, strides=[2] * k)
    g.add("Conv", [g.weight(12, 1, *kernel), bias], group=6, pads=low + high, dilations=[1, 2, 2][:k])  # depthwise, twice as many
    g.add("Conv", [g.weight(6, 1, *[3] * k)], group=6, pads=[1] * 2 * k, strides=[2] * k)
    for pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        g.add("Conv", [plain], auto_pad=pad, strides=[2] * k)
    g.add("Conv", [g.weight(4, 6, *[1] * k)], strides=[3] * k)
    wide = g.weight(6, 4, *kernel)
    g.add("ConvTranspose", [wide, g.weight(4)], strides=[2, 3, 2][:k], output_padding=[1, 2, 0][:k], pads=low + high)
    g.add("ConvTranspose", [wide], dilations=[2] * k)
    g.add("ConvTranspose", [g.weight(6, 2, *kernel), g.weight(6)], group=3, strides=[2] * k)
    g.add("ConvTranspose", [g.weight(6, 1, *kernel)], group=6, strides=[1, 2, 2][:k])
    g.add("ConvTranspose", [wide], strides=[3] * k, output_shape=[3 * s - 1 for s in g.size])
    for pad in ("SAME_UPPER", "SAME_LOWER"):
        g.add("ConvTranspose", [wide], auto_pad=pad, strides=[2] * k)


def pools(g):
    k = g.k
    kernel, pads = [3, 2, 3][:k], ([1, 0, 1] * 2)[: k] + [1, 1, 0][:k]
    window = dict(kernel_shape=kernel, strides=[2] * k)
    g.add("MaxPool", [], 2, **window, pads=pads)
    g.add("MaxPool", [], **window, dilations=[2] * k, ceil_mode=1)
    g.add("MaxPool", [], **window, auto_pad="SAME_LOWER")
    for include in (0, 1):
        g.add("AveragePool", [], **window, pads=pads, count_include_pad=include, ceil_mode=1)
    g.add("AveragePool", [], **window, dilations=[2] * k)
    g.add("AveragePool", [], **window, auto_pad="SAME_UPPER")
    for p in (1, 2, 3):
        g.add("LpPool", [], **window, p=p, pads=pads)
    g.add("GlobalLpPool", [], p=3)
    g.add("GlobalMaxPool", [])
    g.add("GlobalAveragePool", [])


def check(model, *inputs, flag):
    names = [i.name for i in model.graph.input]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for node, got, want in zip(model.graph.output, coat.compile(model, flags=[flag])(*inputs), session.run(None, dict(zip(names, inputs)))):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4, err_msg=node.name)


@pytest.mark.parametrize("flag", ["-O0", "-O2"])
@pytest.mark.parametrize("k", SIZE)
@pytest.mark.parametrize("family", [convolutions, pools])
def test_windows(family, k, flag):
    g = Graph(SIZE[k])
    family(g)
    check(g.model(), g.random.standard_normal((2, 6, *SIZE[k]), np.float32), flag=flag)


def test_regions_of_whole_elements():
    """MaxRoiPool, which ONNX's own tests lack."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 9, 11])
    rois = helper.make_tensor_value_info("rois", TensorProto.FLOAT, [5, 5])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node("MaxRoiPool", ["x", "rois"], ["y"], pooled_shape=[3, 2], spatial_scale=0.5)
    model = helper.make_model(helper.make_graph([node], "regions", [x, rois], [y]), opset_imports=[helper.make_opsetid("", OPSET)],
                              ir_version=10)
    regions = np.array([[0, 0, 0, 21, 17], [1, 3, 4, 9, 8], [1, 10, 2, 9, 1], [0, -4, 5, 4, 30], [0, 7, 7, 7, 7]], np.float32)
    check(model, np.random.default_rng(0).standard_normal((2, 3, 9, 11), np.float32), regions, flag="-O2")
