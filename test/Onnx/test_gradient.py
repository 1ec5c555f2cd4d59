"""Gradient (ai.onnx.preview.training) against PyTorch's derivatives: the same ONNX text, and the same function in torch."""
import numpy as np
import onnx.parser
import pytest
import torch

import coat

F = torch.nn.functional
HEAD = '<ir_version: 8, opset_import: ["" : 18, "ai.onnx.preview.training" : 1]>'
UNARY = {
    "Abs": torch.abs, "Neg": torch.neg, "Exp": torch.exp, "Log": torch.log, "Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal, "Sin": torch.sin,
    "Cos": torch.cos, "Atan": torch.atan, "Erf": torch.erf, "Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Softplus": F.softplus,
    "Softsign": F.softsign, "Relu": torch.relu, "LeakyRelu<alpha = 0.1>": lambda x: F.leaky_relu(x, 0.1), "Elu": F.elu, "Floor": torch.floor,
    "LogSoftmax<axis = 0>": lambda x: F.log_softmax(x, 0), "ReduceLogSumExp<keepdims = 0>": lambda x: torch.logsumexp(x, (0, 1)), "ReduceL2": torch.norm,
    "ReduceMax": torch.amax, "ReduceSumSquare": lambda x: (x * x).sum(), "ReduceMean": torch.mean,
}


def values(*shape, positive=False):
    array = np.random.default_rng(len(shape) + shape[-1]).standard_normal(shape).astype(np.float32)
    return np.abs(array) + 0.5 if positive else array


def check(text, function, arrays, xs=None, given=None, flags=("-O2",)):
    """The result of a model against the derivatives of the sum of `function` by its arguments `xs`."""
    module = coat.compile(onnx.parser.parse_model(HEAD + text), flags=list(flags))
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    wanted = torch.autograd.grad(function(*tensors).sum(), [tensors[i] for i in xs or range(len(tensors))])
    got = module(*(given or arrays))
    for a, b in zip(got[-len(wanted):], wanted, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("op", UNARY)
def test_unary(op):
    name, _, attributes = op.partition("<")
    attributes = "<" + attributes if attributes else ""
    positive = name in ("Log", "Sqrt", "ReduceL2")
    check(f"g (float[3,5] x) => (d) {{ y = {name} {attributes} (x)\n d = ai.onnx.preview.training.Gradient <xs = [\"x\"], y = \"y\"> (x) }}",
          UNARY[op], [values(3, 5, positive=positive)])


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
def test_binary_broadcasts(op):
    functions = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Max": torch.maximum, "Min": torch.minimum}
    check(f"g (float[4,1,3] a, float[5,1] b) => (d, e) {{ y = {op} (a, b)\n d, e = ai.onnx.preview.training.Gradient <xs = [\"a\", \"b\"], y = \"y\"> (a, b) }}",
          functions[op], [values(4, 1, 3, positive=True), values(5, 1, positive=True) * 0.7])


def test_two_layers():
    """Gemm with a bias, Relu, a batch of products, softmax, transposes, slices: what a small network is made of."""
    check("""g (float[6,8] x, float[4,8] w, float[4] b, float[2,4,3] v) => (d, e, f, h) {
      one = Constant <value_ints = [1]> ()
      two = Constant <value_ints = [2]> ()
      three = Constant <value_ints = [3]> ()
      shape = Constant <value_ints = [2, 3, 4]> ()
      square = Constant <value_float = 2.0> ()
      a = Gemm <transB = 1, alpha = 0.5> (x, w, b)
      c = Relu (a)
      k = Reshape (c, shape)
      p = MatMul (k, v)
      s = Softmax <axis = -1> (p)
      t = Transpose <perm = [0, 2, 1]> (s)
      q = Slice (t, one, three, two)
      u = Concat <axis = 2> (q, t)
      y = Pow (u, square)
      d, e, f, h = ai.onnx.preview.training.Gradient <xs = ["x", "w", "b", "v"], y = "y"> (x, w, b, v)
    }""", lambda x, w, b, v: (lambda t: torch.cat([t[:, :, 1:3], t], 2) ** 2)(
        torch.softmax(torch.relu(0.5 * x @ w.T + b).reshape(2, 3, 4) @ v, -1).transpose(1, 2)),
        [values(6, 8), values(4, 8), values(4), values(2, 4, 3)])


def test_symbolic_batch():
    check("""g (float[N,8] x, float[8,4] w) => (d, e) {
      a = MatMul (x, w)
      y = Tanh (a)
      d, e = ai.onnx.preview.training.Gradient <xs = ["x", "w"], y = "y"> (x, w)
    }""", lambda x, w: torch.tanh(x @ w), [values(3, 8), values(8, 4)], flags=["-O2", "--dim", "N=1..8"])


def test_at_other_values():
    """The inputs of the node are other tensors than those that xs and zs name: the derivative is taken there."""
    check("""g (float[3] x, float[3] z, float[3] x1, float[3] z1) => (y, d) {
      a = Mul (x, x)
      y = Mul (a, z)
      d = ai.onnx.preview.training.Gradient <xs = ["x"], zs = ["z"], y = "y"> (x1, z1)
    }""", lambda x, z: x * x * z, [values(3) + 1, values(3) * 2], xs=[0], given=[values(3), values(3), values(3) + 1, values(3) * 2])


def test_cut_at_a_result_of_a_node():
    check("""g (float[3] x) => (d) {
      h = Exp (x)
      y = Mul (h, x)
      d = ai.onnx.preview.training.Gradient <xs = ["h"], zs = ["x"], y = "y"> (h, x)
    }""", lambda x: x * x / 2, [values(3)])


def test_twice_and_in_a_function():
    """The second derivative of x^3; the function's names are its own."""
    text = HEAD.replace(">", "") .replace("]", ', "local" : 1]>', 1) + """g (float[3] x) => (e) {
      e = local.Second (x)
    }
    <domain: "local", opset_import: ["" : 18, "ai.onnx.preview.training" : 1]>
    Second (v) => (b) {
      s = Mul (v, v)
      y = Mul (s, v)
      a = ai.onnx.preview.training.Gradient <xs = ["v"], y = "y"> (v)
      b = ai.onnx.preview.training.Gradient <xs = ["v"], y = "a"> (v)
    }"""
    x = values(3)
    np.testing.assert_allclose(coat.compile(onnx.parser.parse_model(text), flags=["-O2"])(x)[0], 6 * x, rtol=1e-5)


@pytest.mark.parametrize("text, message", [
    ("y = Sin (x)\n d = Asinh (y)\n z = ai.onnx.preview.training.Gradient <xs = [\"x\"], y = \"d\"> (x)", "got coat.elementwise of node 'd'"),
    ("w = Constant <value_float = 2.0> ()\n y = Mul (x, w)\n z = ai.onnx.preview.training.Gradient <xs = [\"w\"], y = \"y\"> (w)", "got constant or integers 'w'"),
    ("y = Sin (x)\n z = ai.onnx.preview.training.Gradient <xs = [\"x\"], y = \"q\"> (x)", "expected inputs that are defined, got 'q'"),
    ("y = Sin (x)\n z = ai.onnx.preview.training.Gradient <xs = [\"x\"], y = \"y\"> (x, x)", "one input for each of xs and zs"),
    ("y = Sin (x)\n z = ai.onnx.preview.training.Gradient <xs = [\"x\"], y = \"z\"> (x)", "without cycles"),
])
def test_refused(text, message):
    with pytest.raises(coat.CompileError, match=message.replace("(", r"\(")):
        coat.compile(onnx.parser.parse_model(HEAD + "g (float[3] x) => (z) {" + text + "}"))
