"""Properties of the convolution: it is im2col times the weight matrix, and it commutes with translation in the interior."""
import numpy as np
import onnx
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

import coat
from conftest import within_bounds

# image, channels in and out, kernel, stride, dilation, group
CASES = [((9, 11), 3, 8, (3, 3), 1, 1, 1), ((16, 16), 32, 48, (3, 3), 1, 1, 1), ((15, 14), 24, 40, (1, 1), 1, 1, 1),
         ((13, 17), 16, 16, (3, 5), 2, 1, 1), ((20, 20), 16, 32, (3, 3), 1, 2, 4), ((12, 12), 48, 48, (3, 3), 1, 1, 48),
         ((14, 14), 64, 64, (7, 7), 1, 1, 64), ((13, 14), 512, 40, (3, 3), 2, 1, 1), ((12, 22), 528, 24, (3, 3), 1, 2, 1),
         ((9, 13), 1040, 64, (3, 3), 2, 1, 2)]
IDS = ["x".join(map(str, np.hstack([np.ravel(x) for x in case]))) for case in CASES]


def convolution(case, image_shape):
    _, cin, cout, kernel, stride, dilation, group = case
    random = np.random.default_rng(cin + cout)
    weight = (random.standard_normal((cout, cin // group, *kernel)) / np.sqrt(cin // group * np.prod(kernel))).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[stride] * 2, dilations=[dilation] * 2, group=group)
    graph = helper.make_graph([node], "conv", [helper.make_tensor_value_info("x", TensorProto.FLOAT, image_shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    return coat.compile(onnx.shape_inference.infer_shapes(model)), weight


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_is_im2col_times_weights(case):
    (h, w), cin, cout, kernel, stride, dilation, group = case
    module, weight = convolution(case, (2, cin, h, w))
    x = np.random.default_rng(1).standard_normal((2, cin, h, w)).astype(np.float32)
    span = [(k - 1) * dilation + 1 for k in kernel]
    windows = sliding_window_view(x, span, (2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation].astype(np.float64)
    n, _, rows, columns = windows.shape[:4]
    # [N, group, places, taps] x [group, taps, cout/group]
    columns_of = windows.reshape(n, group, cin // group, rows, columns, *kernel).transpose(0, 1, 3, 4, 2, 5, 6)
    matrix = weight.reshape(group, cout // group, -1).transpose(0, 2, 1).astype(np.float64)
    want = columns_of.reshape(n, group, rows * columns, -1) @ matrix
    within_bounds(module(x)[0], want.transpose(0, 1, 3, 2).reshape(n, cout, rows, columns))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_commutes_with_translation(case):
    """The window that lies `stride` further in sees what the first one sees in an image that was moved by it."""
    (h, w), cin, _, _, stride, _, _ = case
    module, _ = convolution(case, (1, cin, h, w))
    plane = np.random.default_rng(2).standard_normal((1, cin, h + stride, w + stride)).astype(np.float32)
    here, = module(np.ascontiguousarray(plane[:, :, :h, :w]))
    there, = module(np.ascontiguousarray(plane[:, :, stride:, stride:]))
    within_bounds(there[:, :, :-1, :-1], here[:, :, 1:, 1:])
