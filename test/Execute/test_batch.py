"""coat-split-batch: parts of a batch one after the other give what the whole batch gives at once, bit for bit."""
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import coat

IMAGES, CHANNELS, SIZE = 6, 48, 96  # 10.6 MB of activations

# Nodes of `x`, one a line. Inputs wN_.. are weights of that shape.
NETS = {
    "residual": """a = Conv <pads=[1,1,1,1]> (x, w48_48_3_3, w48)
                   b = Relu(a)
                   c = Conv(b, w48_48_1_1)
                   d = Add(c, x)
                   e = Relu(d)
                   f = MaxPool <kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]> (e)
                   y = Conv <strides=[2,2], pads=[1,1,1,1]> (f, w16_48_3_3)""",
    "inverted": """a = Conv(x, w96_48_1_1, w96)
                   b = Clip(a, w)
                   c = Conv <group=96, strides=[2,2], pads=[1,1,1,1]> (b, w96_1_3_3)
                   d = GlobalAveragePool(c)
                   e = Conv(d, w96_96_1_1)
                   f = Sigmoid(e)
                   g = Mul(c, f)
                   y = Conv(g, w24_96_1_1)""",
    "branches": """a = Conv(x, w32_48_1_1)
                   b = Conv <pads=[2,2,2,2]> (x, w16_48_5_5)
                   c = Concat <axis=1> (a, b)
                   d = AveragePool <kernel_shape=[3,3], pads=[1,1,1,1]> (c)
                   y = Conv <pads=[2,2,2,2], dilations=[2,2]> (d, w40_48_3_3)""",
    "up and down": """a = Conv <strides=[2,2]> (x, w64_48_2_2)
                      b = Relu(a)
                      c = ConvTranspose <strides=[2,2]> (b, w64_48_2_2)
                      d = Concat <axis=1> (c, x)
                      e = Conv <pads=[1,1,1,1]> (d, w48_96_3_3)
                      f = InstanceNormalization(e, w48, w48)
                      y = LeakyRelu(f)""",
    "layer norm": """a = Transpose <perm=[0,2,3,1]> (x)
                     b = LayerNormalization(a, w48, w48)
                     c = MatMul(b, w48_192)
                     d = Gelu(c)
                     e = MatMul(d, w192_48)
                     f = Add(e, a)
                     y = Transpose <perm=[0,3,1,2]> (f)""",
    "softmax across images": """a = Relu(x)
                                b = Conv(a, w48_48_1_1)
                                c = Softmax <axis=0> (b)
                                d = Conv(c, w48_48_1_1)
                                y = MaxPool <kernel_shape=[2,2], strides=[2,2]> (d)""",
}


def network(text, images):
    random = np.random.default_rng(3)
    nodes = [onnx.parser.parse_node(line) for line in text.splitlines()]
    weights = {}
    for name in (name for node in nodes for name in node.input if name.startswith("w")):
        shape = [int(size) for size in name[1:].split("_") if size]
        weights[name] = (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [images, CHANNELS, SIZE, SIZE])],
                              [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    return onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", NETS)
def test_parts_are_the_whole(name, threads):
    x = np.random.default_rng(1).standard_normal((IMAGES, CHANNELS, SIZE, SIZE)).astype(np.float32)
    model = network(NETS[name], IMAGES)
    parts, whole = coat.compile(model, threads=threads), coat.compile(model, threads=threads, flags=["--disable-pass=coat-split-batch"])
    assert len(parts.info["kernels"]) > len(whole.info["kernels"])
    np.testing.assert_array_equal(parts(x)[0], whole(x)[0])


@pytest.mark.parametrize("images", [2, 7, 12])
def test_each_image_alone(images):
    x = np.random.default_rng(1).standard_normal((images, CHANNELS, SIZE, SIZE)).astype(np.float32)
    together, alone = coat.compile(network(NETS["residual"], images)), coat.compile(network(NETS["residual"], 1))
    for got, image in zip(together(x)[0], x, strict=True):
        np.testing.assert_allclose(got, alone(image[None])[0][0], rtol=1e-5, atol=1e-5)
