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


@pytest.mark.parametrize("attributes", [dict(mode="linear"), *(dict(mode="nearest", nearest_mode=m) for m in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))],
                         ids=lambda a: "-".join(a.values()))
def test_roi_at_run_time(attributes):
    """The part of the image is an input: what a constant roi gives, also beyond the image and from right to left."""
    node = helper.make_node("Resize", ["x", "roi", "", "sizes"], ["y"], coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=7.0,
                            axes=[2, 3], **attributes)
    sizes = numpy_helper.from_array(np.array([6, 4]), "sizes")
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3, 5, 7])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 3, 6, 4])

    def network(inputs, constants):
        return helper.make_model(helper.make_graph([node], "crop", inputs, [output], constants), opset_imports=[helper.make_opsetid("", 19)], ir_version=9)

    module = coat.compile(network([image, helper.make_tensor_value_info("roi", TensorProto.FLOAT, [4])], [sizes]))
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 7)).astype(np.float32)
    for roi in ([0.1, 0.22, 0.83, 0.91], [-0.31, 0.0, 1.2, 1.0], [0.9, 0.81, 0.13, 0.2]):
        roi = np.array(roi, np.float32)
        want, = coat.compile(network([image], [sizes, numpy_helper.from_array(roi, "roi")]))(x)
        within_bounds(module(x, roi)[0], want)
