"""Types that nothing computes on: floats of 8 bits and integers of 4 against ml_dtypes, strings against Python's."""
import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import coat

FLOATS = {TensorProto.FLOAT8E4M3FN: ml_dtypes.float8_e4m3fn, TensorProto.FLOAT8E4M3FNUZ: ml_dtypes.float8_e4m3fnuz,
          TensorProto.FLOAT8E5M2: ml_dtypes.float8_e5m2, TensorProto.FLOAT8E5M2FNUZ: ml_dtypes.float8_e5m2fnuz}
IDS = [dtype.__name__ for dtype in FLOATS.values()]


def compiled(nodes, inputs, outputs, initializers=(), opset=21, flags=()):
    value = lambda name, type, shape: helper.make_tensor_value_info(name, type, shape)
    graph = helper.make_graph(nodes, "g", [value(*i) for i in inputs], [value(*o) for o in outputs], initializers)
    return coat.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]), flags=["-O2", *flags])


def floats(dtype):
    """Every number of the type, what lies half way between two, neighbours of these, and what is too large."""
    numbers = np.sort(np.unique(np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)))
    numbers = numbers[np.isfinite(numbers)]
    between = (numbers[1:] + numbers[:-1]) / 2
    beside = [np.nextafter(between, np.float32(limit)) for limit in (-np.inf, np.inf)]
    others = np.random.default_rng(0).standard_normal(1000) * np.exp(np.random.default_rng(1).uniform(-15, 15, 1000))
    return np.concatenate([numbers, between, *beside, others, [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, 1e38]]).astype(np.float32)


@pytest.mark.parametrize("to", FLOATS, ids=IDS)
@pytest.mark.parametrize("saturate", [0, 1])
def test_cast_to_float8_and_back(to, saturate):
    dtype, x = FLOATS[to], floats(FLOATS[to])
    module = compiled([helper.make_node("Cast", ["x"], ["y"], to=to, saturate=saturate), helper.make_node("Cast", ["y"], ["z"], to=TensorProto.FLOAT)],
                      [("x", TensorProto.FLOAT, x.shape)], [("y", to, x.shape), ("z", TensorProto.FLOAT, x.shape)])
    bits, back = module(x)
    most = np.float32(ml_dtypes.finfo(dtype).max)
    want = (np.clip(x, -most, most) if saturate else x).astype(dtype)
    assert bits.dtype == np.uint8
    np.testing.assert_array_equal(bits.view(dtype).astype(np.float32), want.astype(np.float32))
    np.testing.assert_array_equal(back, want.astype(np.float32))
    number = ~np.isnan(x)
    if not saturate:
        number &= np.isfinite(want.astype(np.float32))
    np.testing.assert_array_equal(bits[number], want.view(np.uint8)[number])  # signs of zeros too


@pytest.mark.parametrize("to", FLOATS, ids=IDS)
def test_float8_weights(to):
    """A product with weights of 8 bits, one scale a column; the input passes through the type as well."""
    r = np.random.default_rng(2)
    x, w = r.standard_normal((5, 32)).astype(np.float32), r.standard_normal((32, 8)).astype(FLOATS[to])
    scale, zero = r.uniform(0.5, 2, 8).astype(np.float32), np.zeros((), FLOATS[to])
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "zero"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s"], ["d"]),
             helper.make_node("DequantizeLinear", ["w", "scale"], ["f"], axis=1), helper.make_node("MatMul", ["d", "f"], ["y"])]
    weights = [numpy_helper.from_array(w, "w"), numpy_helper.from_array(zero, "zero"), numpy_helper.from_array(scale, "scale"),
               numpy_helper.from_array(np.float32(0.25), "s")]
    got, = compiled(nodes, [("x", TensorProto.FLOAT, x.shape)], [("y", TensorProto.FLOAT, [5, 8])], weights)(x)
    want = ((x / 0.25).astype(FLOATS[to]).astype(np.float32) * 0.25) @ (w.astype(np.float32) * scale)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("to,dtype,low,high", [(TensorProto.INT4, np.int8, -8, 7), (TensorProto.UINT4, np.uint8, 0, 15)], ids=["int4", "uint4"])
def test_four_bits(to, dtype, low, high):
    x = np.linspace(-20, 20, 97).astype(np.float32)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=to), helper.make_node("DequantizeLinear", ["q", "s"], ["y"]),
             helper.make_node("Cast", ["n"], ["c"], to=to), helper.make_node("Cast", ["c"], ["z"], to=TensorProto.INT32)]
    n = np.arange(low, high + 1, dtype=np.int32)
    module = compiled(nodes, [("x", TensorProto.FLOAT, x.shape), ("n", TensorProto.INT32, n.shape)],
                      [("y", TensorProto.FLOAT, x.shape), ("z", TensorProto.INT32, n.shape)], [numpy_helper.from_array(np.float32(0.75), "s")])
    y, z = module(x, n)
    np.testing.assert_allclose(y, np.clip(np.rint(x / np.float32(0.75)), low, high) * 0.75)
    np.testing.assert_array_equal(z, n)


def test_other_ops_refuse_bytes():
    for type, message in ((TensorProto.FLOAT8E5M2, "float8e5m2"), (TensorProto.STRING, "got string")):
        with pytest.raises(coat.CompileError, match=message):
            compiled([helper.make_node("Reshape", ["x", "s"], ["y"])], [("x", type, [4])], [("y", type, [2, 2])],
                     [numpy_helper.from_array(np.array([2, 2]), "s")], flags=["--dim", "string_bytes=8"] if type == TensorProto.STRING else [])
    with pytest.raises(coat.CompileError, match="give it a range with --dim string_bytes"):
        compiled([helper.make_node("StringNormalizer", ["x"], ["y"])], [("x", TensorProto.STRING, [4])], [("y", TensorProto.STRING, [4])])


def strings(words, width=16):
    return np.array([w.encode() for w in words], f"S{width}").view(np.uint8).reshape(len(words), width)


@pytest.mark.parametrize("change", ["NONE", "LOWER", "UPPER"])
@pytest.mark.parametrize("sensitive", [0, 1])
def test_strings(change, sensitive):
    words = ["Monday", "monday", "Tuesday", "", "mon", "mondays", "a@Z[`z{", "sixteen letters!"]
    stop = ["monday", "", "longer than sixteen letters"]
    module = compiled([helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action=change, is_case_sensitive=sensitive, stopwords=stop)],
                      [("x", TensorProto.STRING, ["N"])], [("y", TensorProto.STRING, ["M"])], flags=["--dim", "string_bytes=16", "--dim", "N=1..10"])
    kept = [w for w in words if (w if sensitive else w.lower()) not in stop]
    want = [{"NONE": str, "LOWER": str.lower, "UPPER": str.upper}[change](w) for w in kept]
    np.testing.assert_array_equal(module(strings(words))[0], strings(want))
    np.testing.assert_array_equal(module(strings(["monday", "monday"]))[0], strings([""]))
    if change == "NONE" and sensitive:
        np.testing.assert_array_equal(module(strings(["Dienstag für", "monday"]))[0], strings(["Dienstag für"]))
    else:
        with pytest.raises(ValueError, match="expected ASCII characters"):
            module(strings(["für"]))
