"""Attention beyond one softmax over all keys: hard attention and its weights, windows and lengths, and decoding in one buffer."""
import ctypes
import os
import tempfile

import numpy as np
import onnx.parser
import pytest
from onnx.reference import ReferenceEvaluator

import coat

LEVELS = pytest.mark.parametrize("level", [0, 2], ids=["O0", "O2"])
rng = np.random.default_rng(0)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def weights(scores):
    with np.errstate(invalid="ignore"):
        best = scores.max(-1, keepdims=True)
        e = np.exp(scores - np.where(np.isinf(best), 0, best))
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-30)


def compiled(tmp_path, attributes, lengths, level):
    """@net(q, k, v[, n]) -> (result, scores) of 4 query heads that share 2 key heads."""
    (tmp_path / "net.mlir").write_text(f"""
      func.func @net(%q: tensor<2x4x5x8xf32>, %k: tensor<2x2x9x8xf32>, %v: tensor<2x2x9x6xf32>{", %n: tensor<2xi64>" if lengths else ""})
          -> (tensor<2x4x5x6xf32>, tensor<2x4x5x9xf32>) attributes {{coat.entry}} {{
        %0:2 = coat.attention %q, %k, %v {"lengths %n" if lengths else ""} {{scale = 0.5, scores = #coat<scores_kind weights>, {attributes}}}
          : (tensor<2x4x5x8xf32>, tensor<2x2x9x8xf32>, tensor<2x2x9x6xf32>{", tensor<2xi64>" if lengths else ""})
          -> (tensor<2x4x5x6xf32>, tensor<2x4x5x9xf32>)
        return %0#0, %0#1 : tensor<2x4x5x6xf32>, tensor<2x4x5x9xf32>
      }}""")
    return coat.compile(tmp_path / "net.mlir", opt_level=level)


@LEVELS
@pytest.mark.parametrize("top", [1, 3])
def test_hard(tmp_path, level, top):
    q, k, v = f(2, 4, 5, 8), f(2, 2, 9, 8), f(2, 2, 9, 6)
    k[:, :, 4] = k[:, :, 2]  # of equal scores the first counts
    result, shown = compiled(tmp_path, f"top_k = {top}", False, level)(q, k, v)
    scores = 0.5 * q @ np.repeat(k, 2, 1).swapaxes(2, 3)
    scores[..., 4] = scores[..., 2]
    order = np.argsort(-scores, axis=-1, kind="stable")[..., :top]
    chosen = np.full_like(scores, -np.inf)
    np.put_along_axis(chosen, order, np.take_along_axis(scores, order, -1), -1)
    np.testing.assert_allclose(shown, weights(chosen), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result, weights(chosen) @ np.repeat(v, 2, 1), rtol=1e-5, atol=1e-6)
    if top == 1:
        best = np.repeat(v, 2, 1)[np.arange(2)[:, None, None], np.arange(4)[:, None], order[..., 0]]
        np.testing.assert_allclose(result, best, rtol=1e-6, atol=1e-6)


@LEVELS
def test_window_of_lengths(tmp_path, level):
    """The first rows of the second batch see no key and give zeros."""
    q, k, v, n = f(2, 4, 5, 8), f(2, 2, 9, 8), f(2, 2, 9, 6), np.array([9, 3])
    result, shown = compiled(tmp_path, "causal, left_window = 2", True, level)(q, k, v, n)
    scores = 0.5 * q @ np.repeat(k, 2, 1).swapaxes(2, 3)
    at, key = np.arange(5)[:, None] + (n - 5)[:, None, None], np.arange(9)
    visible = (key <= at) & (key >= at - 2) & (key < n[:, None, None])
    wanted = weights(np.where(visible[:, None], scores, -np.inf))
    np.testing.assert_allclose(shown, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(result, wanted @ np.repeat(v, 2, 1), rtol=1e-5, atol=1e-6)
    assert not result[1, :, :2].any()


DECODE = """
<ir_version: 8, opset_import: ["" : 24]>
net (float[2,2,7,8] keys, float[2,2,7,8] values, float[2,4,1,8] q, float[2,2,1,8] k, float[2,2,1,8] v, int64[2] at)
    => (float[2,4,1,8] y, float[2,2,7,8] keys_out, float[2,2,7,8] values_out) {
  keys_out = TensorScatter (keys, k, at)
  values_out = TensorScatter (values, v, at)
  one = Constant <value_ints = [1]> ()
  lengths = Add (at, one)
  y = Attention (q, keys_out, values_out, , , , lengths)
}
"""


@LEVELS
def test_decode_in_place(level):
    """Five steps whose caches stay in one buffer each; the two batches are at different positions."""
    module = coat.compile(onnx.parser.parse_model(DECODE), opt_level=level, name="net")
    run = ctypes.CDLL(module.path).net_run_flat
    run.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p, ctypes.c_void_p]
    keys, values, y = f(2, 2, 7, 8), f(2, 2, 7, 8), np.empty((2, 4, 1, 8), np.float32)
    wanted = keys.copy(), values.copy()
    for step in range(5):
        q, k, v, at = f(2, 4, 1, 8), f(2, 2, 1, 8), f(2, 2, 1, 8), np.array([step, step + 2])
        tensors = (keys, values, q, k, v, at, y, keys, values)
        assert run((ctypes.c_void_p * 9)(*(t.ctypes.data for t in tensors)), None, None) == 0
        for cache, new in zip(wanted, (k, v)):
            cache[[0, 1], :, at] = new[:, :, 0]
        scores = q @ np.repeat(wanted[0], 2, 1).swapaxes(2, 3) * 8 ** -0.5
        scores = np.where(np.arange(7) <= at[:, None, None, None], scores, -np.inf)
        np.testing.assert_allclose(y, weights(scores) @ np.repeat(wanted[1], 2, 1), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(keys, wanted[0])
        np.testing.assert_array_equal(values, wanted[1])
    # What is not listed may not overlap.
    tensors = (keys, values, q, k, v, at, q, keys, values)
    assert run((ctypes.c_void_p * 9)(*(t.ctypes.data for t in tensors)), None, None) != 0


SYMBOLIC = """
<ir_version: 8, opset_import: ["" : 27]>
net (float[B,4,S,8] q, float[B,2,S,8] k, float[B,2,S,8] v, float[B,2,P,8] past_k, float[B,2,P,8] past_v, float[B,6,S] x, float[6,1,3] w)
    => (float[B,4,S,8] y, float[B,2,T,8] pk, float[B,2,T,8] pv, float[B,6,S] c, float[B,6,2] state) {
  y, pk, pv = Attention <is_causal = 1, left_window_size = 3> (q, k, v, , past_k, past_v)
  c, state = CausalConvWithState <activation = "silu"> (x, w)
}
"""


@LEVELS
def test_symbolic_past(level):
    """The offset of causality and that of a slice are sizes which only a run knows."""
    network = onnx.parser.parse_model(SYMBOLIC)
    module = coat.compile(network, opt_level=level, dims={"B": (1, 3), "S": (1, 6), "P": (1, 8)})
    arrays = f(2, 4, 5, 8), f(2, 2, 5, 8), f(2, 2, 5, 8), f(2, 2, 3, 8), f(2, 2, 3, 8), f(2, 6, 5), f(6, 1, 3)
    wanted = ReferenceEvaluator(network).run(None, dict(zip(module.inputs, arrays)))
    for result, want in zip(module(*arrays), wanted, strict=True):
        np.testing.assert_allclose(result, want, rtol=1e-4, atol=1e-5)


def exported(module, inputs, dynamo):
    torch = pytest.importorskip("torch")
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = os.path.join(folder, "net.onnx")
        torch.onnx.export(module.eval(), inputs, path, dynamo=dynamo, **({"external_data": False} if dynamo else {}))
        library = coat.compile(path)
        expected = module(*inputs)
    ops = [op for kernel in library.info["kernels"] for op in kernel["ops"].split("+")]
    expected = expected if isinstance(expected, tuple) else (expected,)
    return library(*(x.numpy() for x in inputs)), [y.numpy() for y in expected if y is not None], ops


@pytest.mark.parametrize("spelling, dynamo", [("scatter", False), ("scatter", True), ("mask", False), ("one_hot", True)])
def test_hard_spellings(spelling, dynamo):
    """What PyTorch code writes for attention to the best keys is one attention that chooses them."""
    torch = pytest.importorskip("torch")

    class Hard(torch.nn.Module):
        def forward(self, q, k, v):
            scores = q @ k.transpose(-2, -1) * 8 ** -0.5
            if spelling == "one_hot":
                return torch.nn.functional.one_hot(scores.argmax(-1), 9).float() @ v
            best, at = scores.topk(3, dim=-1)
            if spelling == "scatter":
                scores = torch.full_like(scores, float("-inf")).scatter(-1, at, best)
            else:
                seen = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, at, torch.ones_like(at, dtype=torch.bool))
                scores = scores.masked_fill(~seen, float("-inf"))
            return scores.softmax(-1) @ v

    q, k, v = (torch.randn(2, 4, 9, 8) for _ in range(3))
    got, expected, ops = exported(Hard(), (q, k, v), dynamo)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-4, atol=1e-5)
    assert "best_keys" in ops and "top_k" not in ops and "arg_reduce" not in ops


@pytest.mark.parametrize("asked, dynamo", [("context", False), ("context", True), ("mean", False), ("mean", True), ("heads", False)])
def test_explained_weights(asked, dynamo):
    """The weights of nn.MultiheadAttention, for explanation: a second result; without it the attention stays one kernel."""
    torch = pytest.importorskip("torch")

    class Explained(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = torch.nn.MultiheadAttention(32, 4, batch_first=True)

        def forward(self, x, y):
            context, weights = self.attention(x, y, y, need_weights=True, average_attn_weights=asked != "heads")
            return context if asked == "context" else (context, weights)

    torch.manual_seed(0)
    got, expected, ops = exported(Explained(), (torch.randn(2, 5, 32), torch.randn(2, 7, 32)), dynamo)
    for result, want in zip(got, expected, strict=True):
        np.testing.assert_allclose(result, want, rtol=1e-4, atol=1e-5)
    assert ("attention" in ops) == (asked == "context")
