"""Winograd convolutions against the reference: sizes that no tile divides, tails of channels, batches, epilogues, threads."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import coat
from conftest import within_bounds


def network(height, width, channels, out, batch=1, pads=1, residual=False, layers=1, stride=1, taps=3):
    """`layers` convolutions, each with bias, a residual where asked for, and relu."""
    rng = np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for i in range(layers):
        into = channels if i == 0 else out
        w = rng.standard_normal((out, into, taps, taps)) / np.sqrt(taps * taps * into)
        weights += [numpy_helper.from_array(w.astype(np.float32), f"w{i}"),
                    numpy_helper.from_array(rng.standard_normal(out).astype(np.float32), f"b{i}")]
        nodes.append(helper.make_node("Conv", [value, f"w{i}", f"b{i}"], [f"c{i}"], pads=[pads] * 4, strides=[stride] * 2))
        result = f"c{i}"
        if residual:
            nodes.append(helper.make_node("Add", [result, value], [f"a{i}"]))
            result = f"a{i}"
        value = f"y{i}" if i + 1 < layers else "y"
        nodes.append(helper.make_node("Relu", [result], [value]))
    rows, columns = height, width
    for i in range(layers):
        rows, columns = ((size + 2 * pads - taps) // stride + 1 for size in (rows, columns))
    shapes = [("x", [batch, channels, height, width]), ("y", [batch, out, rows, columns])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes)
    graph = helper.make_graph(nodes, "winograd", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def winograds(module):
    return sum("winograd_conv" in kernel["ops"] for kernel in module.info["kernels"])


CASES = {"f4": dict(height=32, width=32, channels=32, out=32),
         "f4_rows_are_tasks": dict(height=64, width=64, channels=32, out=32),
         "f4_tails": dict(height=23, width=25, channels=37, out=41),
         "f4_batch": dict(height=15, width=18, channels=64, out=48, batch=2),
         "f4_residual": dict(height=26, width=26, channels=48, out=48, residual=True, layers=2),
         "f4_no_pads": dict(height=33, width=30, channels=32, out=32, pads=0),
         "f2": dict(height=7, width=7, channels=512, out=512),
         "f2_tails": dict(height=7, width=6, channels=500, out=505, batch=2),
         "strided_f4": dict(height=56, width=56, channels=64, out=64, stride=2),
         "strided_f4_rows_are_tasks": dict(height=96, width=64, channels=48, out=48, stride=2),
         "strided_f4_tails": dict(height=55, width=50, channels=67, out=71, batch=2, stride=2),
         "strided_f4_no_pads": dict(height=58, width=57, channels=64, out=64, pads=0, stride=2),
         "strided_f2": dict(height=28, width=28, channels=256, out=256, stride=2),
         "strided_f2_tails": dict(height=27, width=25, channels=250, out=250, stride=2),
         "five_taps": dict(height=28, width=28, channels=24, out=48, taps=5, pads=2),
         "five_taps_tails": dict(height=15, width=17, channels=90, out=101, taps=5, pads=2, batch=2),
         "four_taps": dict(height=29, width=32, channels=48, out=48, taps=4),
         "folded": dict(height=64, width=64, channels=3, out=64, taps=7, pads=3, stride=2),
         "folded_tails": dict(height=45, width=54, channels=3, out=70, taps=7, pads=3, stride=2, batch=2),
         "folded_without_pads": dict(height=61, width=63, channels=3, out=64, taps=7, pads=0, stride=2),
         "folded_four_channels": dict(height=59, width=57, channels=4, out=64, taps=7, pads=2, stride=2),
         "folded_gray": dict(height=64, width=64, channels=1, out=128, taps=7, pads=3, stride=2),
         "folded_five_taps": dict(height=65, width=62, channels=3, out=96, taps=5, pads=2, stride=2),
         "folded_ten_taps": dict(height=61, width=64, channels=2, out=96, taps=10, pads=4, stride=2),
         "folded_eight_taps": dict(height=60, width=56, channels=3, out=64, taps=8, pads=3, stride=2),
         "strided_layers": dict(height=56, width=60, channels=96, out=96, stride=2, layers=2)}


@pytest.mark.parametrize("march", ["x86-64-v2", "x86-64-v3"])
@pytest.mark.parametrize("shape", CASES.values(), ids=CASES)
def test_like_the_reference(shape, march):
    model = network(**shape)
    module = coat.compile(model, flags=[f"-march={march}"])
    assert winograds(module)
    reference = coat.compile(model, opt_level=0)
    x = np.random.default_rng(1).standard_normal([shape.get("batch", 1), shape["channels"], shape["height"], shape["width"]])
    x = x.astype(np.float32)
    (one,), (expected,) = module(x), reference(x)
    within_bounds(one, expected)
    two, = coat.load(module.path, threads=2)(x)
    np.testing.assert_array_equal(one, two)


def test_compiles_for_avx512():
    assert winograds(coat.compile(network(32, 32, 32, 32), flags=["--isa=x86-64-v3,x86-64-v4"])) == 1


def test_symbolic_batch():
    model = network(16, 16, 64, 64, batch="N", layers=2, residual=True)
    module, reference = coat.compile(model, dims={"N": (1, 4)}), coat.compile(model, dims={"N": (1, 4)}, opt_level=0)
    assert winograds(module)
    for batch in (1, 3, 4):
        x = np.random.default_rng(batch).standard_normal([batch, 64, 16, 16]).astype(np.float32)
        within_bounds(module(x)[0], reference(x)[0])


def test_large_plane():
    """Tasks of rows, each of which transforms its own input."""
    module = coat.compile(network(56, 56, 64, 64))
    assert [k["ops"].split("+")[:2] for k in module.info["kernels"] if "winograd" in k["ops"]] == [["winograd_input", "winograd_conv"]]


def test_small_plane():
    """Tasks of channels, which share the transformed input."""
    module = coat.compile(network(14, 14, 128, 128))
    assert [k["ops"].split("+")[0] for k in module.info["kernels"] if "winograd" in k["ops"]] == ["winograd_input", "winograd_conv"]


def test_not_below_o2():
    assert not winograds(coat.compile(network(32, 32, 32, 32), opt_level=1))


def test_not_where_sums_keep_their_order():
    assert not winograds(coat.compile(network(32, 32, 32, 32), flags=["-ffp-model=strict"]))
