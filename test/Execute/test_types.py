"""Models of other types than float32: half precision against the framework's, and quantized ones, exactly as integers say."""
import math
import os

import numpy as np
import onnx
import onnx.parser
import pytest
import torch
from onnx import numpy_helper

import coat
from conftest import MODELS, exported
from test_models import GRAPHS, KERAS, LARGE, LIGHT, LITERATURE, TORCH

NARROW = ["resnet18", "vit_ti16"]
# scripts/check_long.sh runs them.
OTHERS = [*(set(TORCH + LITERATURE + LARGE) - set(NARROW)), "caption_step", *GRAPHS, *KERAS, *LIGHT]
# Whose scalar loops take minutes: at -O0 in f32 only (test_models.py).
SLOW = {*LARGE, *LIGHT, "efficientnet_b0", "resnet50"}


def narrow_cases():
    names = NARROW + (sorted(OTHERS) if os.environ.get("COAT_TEST_LONG") else [])
    return [pytest.param(n, level, id=f"{n}-O{level}", marks=pytest.mark.xdist_group(n)) for n in names for level in (2, 0) if level or n not in SLOW]


def narrowed(array, precision):
    """float32 in half precision; bfloat16 as bits, which numpy has no type for."""
    if array.dtype != np.float32:
        return array
    return array.astype(np.float16) if precision == "half" else (array.view(np.uint32) >> 16).astype(np.uint16)


def widened(array):
    return array if array.dtype == np.float16 else (np.asarray(array).view(np.uint16).astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("precision", ["half", "bfloat16"])
@pytest.mark.parametrize("name,level", narrow_cases())
def test_narrow(model, name, precision, level):
    model(name)  # some graphs are narrowed
    prefix = exported(f"{name}.{precision}")
    data = np.load(prefix + ".npz")
    inputs = {k: narrowed(data[k], precision) for k in data if not k.startswith(("output_", "exact_"))}
    results = coat.compile(prefix + ".onnx", opt_level=level)(**inputs)
    for i, got in enumerate(results):
        # Where the framework rounds is not where coat does: coat may be as far from f32 as the framework is, and as far again.
        want, framework = data[f"exact_{i}"], data[f"output_{i}"]
        error = lambda result: float(np.sqrt(np.mean((result.astype(np.float64) - want)**2)))
        if not np.isfinite(framework).all():
            pytest.skip(f"random weights exceed {precision}: the framework's result is not finite either")
        assert error(widened(got)) <= 2 * error(framework), (error(widened(got)), error(framework))


def test_double():
    """A convolution and a product in f64, to the last digits."""
    r = np.random.default_rng(0)
    x, w, m = r.standard_normal((1, 3, 9, 9)), r.standard_normal((5, 3, 3, 3)), r.standard_normal((245, 4))
    graph = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 17]>
      g (double[1,3,9,9] x, double[5,3,3,3] w, double[245,4] m) => (double[1,4] y) { c = Conv(x, w) f = Flatten(c) t = Tanh(f) y = MatMul(t, m) }""")
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))
    want = np.tanh(np.einsum("nchwij,mcij->nmhw", windows, w)).reshape(1, -1) @ m
    for level in (2, 0):
        np.testing.assert_allclose(coat.compile(graph, opt_level=level)(x, w, m)[0], want, rtol=1e-11, atol=1e-11)


def test_half_functions():
    """Functions that go through f64 on the way to f16: no step of it may be a call of a library."""
    functions = {"Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan, "Tan": np.tan, "Sin": np.sin, "Cos": np.cos, "Sinh": np.sinh, "Cosh": np.cosh,
                 "Asinh": np.arcsinh, "Atanh": np.arctanh, "Tanh": np.tanh, "Erf": np.vectorize(math.erf)}
    names = [f.lower() for f in functions] + ["power", "rest"]
    lines = [f"{f.lower()} = {f}(x)" for f in functions] + ["power = Pow(x, e)", "rest = Mod<fmod: int = 1>(x, e)"]
    graph = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 17]>
      g (float16[33] x, float16[33] e) => ({", ".join(f"float16[33] {n}" for n in names)}) {{ {" ".join(lines)} }}""")
    x = np.linspace(-.9, .9, 33).astype(np.float16)
    e = np.resize([2, -3, .25, 1], 33).astype(np.float16)
    exact = [f(x.astype(np.float64)) for f in functions.values()]
    with np.errstate(invalid="ignore", divide="ignore"):
        exact += [np.power(x.astype(np.float64), e), np.fmod(x.astype(np.float64), e)]
    for level in (0, 1, 2):
        for name, got, want in zip(names, coat.compile(graph, opt_level=level)(x, e), exact, strict=True):
            np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float16).astype(np.float64), rtol=1e-3, err_msg=f"{name} at -O{level}")


def as_integers(graph, x):
    """The values of a QDQ graph of Conv, Gemm, Add, pools and Flatten, by integers of numpy and one rounding each."""
    f32, constants = np.float32, {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    values, sums = dict(constants), {}
    values[graph.input[0].name] = x
    quantized = {}  # dequantized name -> (integers less the zero point, scale)

    def parameters(node, value):
        scale, zero = constants[node.input[1]].astype(f32), constants[node.input[2]].astype(np.int64)
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        if scale.ndim and scale.size > 1:
            shape = [1] * value.ndim
            shape[axis] = -1
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return scale.reshape(()) if scale.size == 1 else scale, zero.reshape(()) if zero.size == 1 else zero

    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        source, result = node.input[0], node.output[0]
        if node.op_type == "DequantizeLinear":
            scale, zero = parameters(node, values[source])
            quantized[result] = values[source].astype(np.int64) - zero, scale
            values[result] = quantized[result][0].astype(f32) * scale
        elif node.op_type == "QuantizeLinear":
            scale, zero = parameters(node, values[source])
            real = sums[source][0].astype(f32) * (sums[source][1] / scale) if source in sums else values[source] / scale
            limits = np.iinfo(constants[node.input[2]].dtype)
            values[result] = np.clip(np.rint(real) + zero, limits.min, limits.max).astype(limits.dtype)
        elif node.op_type in ("Conv", "Gemm"):
            (a, sa), (b, sb) = quantized[source], quantized[node.input[1]]
            if node.op_type == "Conv":  # doubles hold these sums exactly
                pads = attributes["pads"]
                total = torch.nn.functional.conv2d(torch.from_numpy(a.astype(np.float64)), torch.from_numpy(b.astype(np.float64)),
                                                   stride=attributes["strides"], padding=pads[:2], groups=attributes.get("group", 1)).numpy()
                spread = (1, -1, 1, 1)
            else:
                total = a @ (b.T if attributes.get("transB") else b)
                spread = (1, -1)
            total = total.astype(np.int64) + quantized[node.input[2]][0].reshape(spread)
            unit = sa * (sb.reshape(spread) if np.ndim(sb) else sb)
            sums[result], values[result] = (total, unit), total.astype(f32) * unit
        elif node.op_type == "GlobalAveragePool":
            integers, scale = quantized[source]
            sums[result] = integers.sum((2, 3), keepdims=True), scale * f32(1 / np.prod(integers.shape[2:]))
            values[result] = sums[result][0].astype(f32) * sums[result][1]
        elif node.op_type == "MaxPool":
            padded = np.pad(values[source], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
            values[result] = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2].max((4, 5))
        elif node.op_type == "Add":
            values[result] = values[source] + values[node.input[1]]
        else:
            assert node.op_type == "Flatten", node.op_type
            values[result] = values[source].reshape(1, -1)
    return values[graph.output[0].name]


@pytest.mark.parametrize("channels", [False, True], ids=["tensor", "channel"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in ("resnet18", "mobilenet_v2")])
def test_quantized(model, name, channels):
    """Every integer of a quantized network: -O2 and -O0 give what exact arithmetic gives, bit for bit."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Noise(CalibrationDataReader):
        def __init__(self):
            self.images = iter([{"image": np.random.default_rng(i).standard_normal((1, 3, 224, 224), np.float32)} for i in range(2)])

        def get_next(self):
            return next(self.images, None)

    path = os.path.join(MODELS, f"{name}.{'channel' if channels else 'tensor'}")
    quant_pre_process(model(name) + ".legacy.onnx", path + ".pre.onnx", skip_symbolic_shape=True)
    quantize_static(path + ".pre.onnx", path + ".qdq.onnx", Noise(), per_channel=channels, weight_type=QuantType.QInt8,
                    activation_type=QuantType.QInt8 if channels else QuantType.QUInt8)
    image = np.random.default_rng(7).standard_normal((1, 3, 224, 224), np.float32)
    want = as_integers(onnx.load(path + ".qdq.onnx").graph, image)
    for level in (2, 0):
        np.testing.assert_array_equal(coat.compile(path + ".qdq.onnx", opt_level=level)(image)[0], want)


@pytest.mark.parametrize("raw", [False, True], ids=["int32_data", "raw_data"])
@pytest.mark.parametrize("signed", [False, True], ids=["uint4", "int4"])
def test_weights_of_four_bits(signed, raw):
    """Weight-only quantization: two elements a byte, a scale and a zero point for each block of a column."""
    r = np.random.default_rng(0)
    least = -8 if signed else 0
    w, zero = r.integers(least, least + 16, (12, 5)), r.integers(least, least + 16, (3, 5))
    scale, x = r.random((3, 5), "f4"), r.standard_normal((4, 12)).astype("f4")
    kind = onnx.TensorProto.INT4 if signed else onnx.TensorProto.UINT4

    def packed(name, values):
        flat = [int(v) & 15 for v in values.ravel()] + [0]
        data = bytes(low | high << 4 for low, high in zip(flat[: values.size : 2], flat[1::2]))
        tensor = onnx.TensorProto(name=name, data_type=kind, dims=values.shape)
        if raw:
            tensor.raw_data = data
        else:
            tensor.int32_data.extend(data)
        return tensor

    nodes = [onnx.helper.make_node("DequantizeLinear", ["w", "s", "z"], ["f"], axis=0, block_size=4),
             onnx.helper.make_node("MatMul", ["x", "f"], ["y"])]
    info = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in (("x", (4, 12)), ("y", (4, 5)))]
    graph = onnx.helper.make_graph(nodes, "g", info[:1], info[1:], [packed("w", w), packed("z", zero), numpy_helper.from_array(scale, "s")])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    want = x @ ((w - np.repeat(zero, 4, 0)) * np.repeat(scale, 4, 0)).astype("f4")
    for level in (2, 0):
        np.testing.assert_allclose(coat.compile(model, opt_level=level)(x)[0], want, rtol=1e-4, atol=1e-4)
