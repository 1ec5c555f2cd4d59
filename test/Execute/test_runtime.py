"""What only a run can tell: sizes that the data decide, and what follows them inside the graph; run-time values that must
give a declared shape."""
import numpy as np
import onnx.parser
import pytest
from onnx.reference import ReferenceEvaluator

import coat

LEVELS = pytest.mark.parametrize("level", [2, 0], ids=["O2", "O0"])

FOLLOWED = """
<ir_version: 8, opset_import: ["" : 18]>
net (float[3,5] x, float[N,4] table) => (int64[2,n] i, float[m,4] rows, float[k] least, float[j,4] more) {
  i = NonZero (x)
  zero = Constant <value_int = 0> ()
  row = Gather <axis = 0> (i, zero)
  rows = Gather <axis = 0> (table, row)
  half = Constant <value_float = 0.5> ()
  scaled = Mul (rows, half)
  one = Constant <value_ints = [1]> ()
  least = ReduceMin <keepdims = 0> (scaled, one)
  gates = Sigmoid (scaled)
  more = Concat <axis = 0> (scaled, gates)
}
"""

DETECTION = """
<ir_version: 8, opset_import: ["" : 18]>
net (float[2,N,4] boxes, float[2,3,N] scores) => (int64[n,3] picked, float[n,4] kept) {
  most = Constant <value_ints = [5]> ()
  iou = Constant <value_floats = [0.4]> ()
  least = Constant <value_floats = [0.6]> ()
  picked = NonMaxSuppression (boxes, scores, most, iou, least)
  columns = Constant <value_ints = [0, 2]> ()
  place = Gather <axis = 1> (picked, columns)
  kept = GatherND (boxes, place)
}
"""


def check(module, network, inputs):
    wanted = ReferenceEvaluator(network).run(None, inputs)
    results = module(**inputs)
    assert len(results) == len(wanted)
    for result, want in zip(results, wanted):
        assert result.shape == want.shape
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-6)


@LEVELS
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_followed(level, share):
    network = onnx.parser.parse_model(FOLLOWED)
    module = coat.compile(network, opt_level=level, dims={"N": (3, 9)}, threads=2)
    rng = np.random.default_rng(7)
    for rows in (3, 9):
        x = (rng.random((3, 5)) < share).astype(np.float32)
        check(module, network, {"x": x, "table": rng.random((rows, 4), np.float32)})


@LEVELS
def test_detection(level):
    network = onnx.parser.parse_model(DETECTION)
    module = coat.compile(network, opt_level=level, dims={"N": (1, 40)})
    rng = np.random.default_rng(7)
    for count in (1, 12, 40):
        corners = rng.random((2, count, 2, 2), np.float32)
        boxes = np.concatenate([corners.min(2), corners.max(2)], -1)
        check(module, network, {"boxes": boxes, "scores": rng.random((2, 3, count), np.float32)})
        check(module, network, {"boxes": boxes, "scores": np.zeros((2, 3, count), np.float32)})


def test_names_of_counts():
    module = coat.compile(onnx.parser.parse_model(FOLLOWED), dims={"N": 3})
    outputs = {t["name"]: t for t in module.info["tensors"] if t["output"]}
    assert outputs["i"]["shape"] == [2, "i_count"] and outputs["rows"]["shape"] == ["i_count", 4]
    assert outputs["more"]["shape"] == ["more_count", 4]
    assert [name for name, t in outputs.items() if t["count"]] == ["i_count", "more_count"]


@LEVELS
def test_declared(level):
    network = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 18]>
        net (float[3,4,4] x, int64[2] shape, int64[1] axes, int64[1] starts, int64[1] ends, int64[1] steps, int64[6] pads)
            => (float[6,8] y, float[3,4] sum, float[3,2,4] part, float[4,4,6] more) {
          y = Reshape (x, shape)
          sum = ReduceSum <keepdims = 0> (x, axes)
          one = Constant <value_ints = [1]> ()
          part = Slice (x, starts, ends, one, steps)
          more = Pad <mode = "edge"> (x, pads)
        }""")
    module = coat.compile(network, opt_level=level)
    inputs = {"x": np.random.default_rng(7).random((3, 4, 4), np.float32), "shape": [6, -1], "axes": [-1], "starts": [-1],
              "ends": [-100], "steps": [-2], "pads": [1, 0, 2, 0, 0, 0]}
    inputs = {name: np.asarray(value, np.float32 if name == "x" else np.int64) for name, value in inputs.items()}
    check(module, network, inputs)
    check(module, network, inputs | {"axes": np.array([1]), "starts": np.array([1]), "ends": np.array([2**62]),
                                     "steps": np.array([2])})
    for name, value, message in [("shape", [8, 6], r"'y': expected a shape .*\[6, 8\]"), ("axes", [0], "'sum': expected axes"),
                                 ("axes", [7], "'sum': expected axes"), ("steps", [0], "'part': expected bounds"),
                                 ("starts", [-2**63], "'part': expected bounds"), ("pads", [0] * 6, "'more': expected pads")]:
        with pytest.raises(ValueError, match=message):
            module(**inputs | {name: np.array(value)})
