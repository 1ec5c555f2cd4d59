"""Resize against onnx.reference where lengths are fractions: output sizes are rounded down, coordinates follow the fraction."""
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import coat
from conftest import within_bounds

MODES = [dict(mode="nearest", coordinate_transformation_mode="align_corners", nearest_mode="round_prefer_ceil"),
         dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
         dict(mode="linear", coordinate_transformation_mode="align_corners"),
         dict(mode="linear", coordinate_transformation_mode="half_pixel"),
         dict(mode="linear", coordinate_transformation_mode="half_pixel_symmetric"),
         dict(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
         dict(mode="cubic", coordinate_transformation_mode="align_corners"),
         dict(mode="cubic", coordinate_transformation_mode="half_pixel", exclude_outside=1)]
SCALES = [(0.6, 1.7), (0.3, 2.0)]
SCALES_OF_SYMBOL = [(2.0, 1.7), (3.0, 0.6)]  # a symbolic size takes whole ones


def model(height):
    """One output a mode and pair of scales. `height` is a size or a symbol."""
    nodes, outputs, constants = [], [], []
    for i, scales in enumerate(SCALES_OF_SYMBOL if height == "H" else SCALES):
        constants.append(numpy_helper.from_array(np.array([1, 1, *scales], np.float32), f"scales{i}"))
        for j, attributes in enumerate(MODES):
            outputs.append(helper.make_tensor_value_info(f"y{i}_{j}", TensorProto.FLOAT, None))
            nodes.append(helper.make_node("Resize", ["x", "", f"scales{i}"], [f"y{i}_{j}"], **attributes))
    graph = helper.make_graph(nodes, "resize", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, height, 5])],
                              outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


@pytest.mark.parametrize("level", [2, 0], ids=["O2", "O0"])
@pytest.mark.parametrize("height", [4, "H"])
def test_resize(height, level):
    network = model(height)
    module = coat.compile(network, opt_level=level, dims={"H": (4, 9)} if height == "H" else None)
    reference = ReferenceEvaluator(network)
    for size in (4, 7, 9) if height == "H" else (height,):
        x = np.random.default_rng(size).standard_normal((1, 2, size, 5)).astype(np.float32)
        for got, want in zip(module(x), reference.run(None, {"x": x}), strict=True):
            within_bounds(got, want)
