"""Attention of many shapes against NumPy in f64: whole sequences and blocks of keys, rows that are cut into tasks, causal and
other masks, shared key heads, symbolic lengths."""
import numpy as np
import pytest
from onnx import TensorProto, helper

import coat


def model(q, k, v, mask=None, **attributes):
    names = ["q", "k", "v"] + (["mask"] if mask else [])
    shapes = [q, k, v] + ([mask[0]] if mask else [])
    types = [TensorProto.FLOAT] * 3 + ([mask[1]] if mask else [])
    inputs = [helper.make_tensor_value_info(n, t, s) for n, t, s in zip(names, types, shapes)]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, q[:3] + v[3:])
    node = helper.make_node("Attention", names, ["y"], **attributes)
    graph = helper.make_graph([node], "attention", inputs, [output])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def reference(q, k, v, mask=None, is_causal=0, softcap=0.0, scale=None):
    q, k, v = (a.astype(np.float64) for a in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, 1), np.repeat(v, group, 1)
    scores = q @ k.swapaxes(2, 3) * (q.shape[3] ** -0.5 if scale is None else scale)
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    if mask is not None:
        scores = scores + (np.where(mask, 0, -np.inf) if mask.dtype == bool else mask)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[2:], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(3, keepdims=True))
    return weights / weights.sum(3, keepdims=True) @ v


def check(module, q, k, v, mask=None, **attributes):
    r = np.random.default_rng(0)
    arrays = [r.standard_normal(s).astype(np.float32) for s in (q, k, v)]
    if mask is not None:
        shape, kind = mask
        arrays.append(r.random(shape) < 0.7 if kind == TensorProto.BOOL else r.standard_normal(shape).astype(np.float32))
        if kind == TensorProto.BOOL:
            arrays[3][..., 0] = True  # a row without any key has no defined result
    # The error of a score, and so of its weight, grows with the score.
    atol = 2e-6 * max(1, attributes.get("scale", 1))
    np.testing.assert_allclose(module(*arrays)[0], reference(*arrays, **attributes), rtol=1e-4, atol=atol)


F, B = TensorProto.FLOAT, TensorProto.BOOL
CASES = {
    "vit": dict(q=[1, 3, 197, 64]),
    "few rows": dict(q=[2, 2, 5, 16], k=[2, 2, 19, 16]),
    "window": dict(q=[4, 3, 49, 32], mask=([1, 3, 49, 49], F)),
    "blocks, rows cut": dict(q=[1, 1, 1000, 32]),
    "blocks, causal": dict(q=[1, 12, 700, 16], is_causal=1),
    "causal": dict(q=[1, 8, 61, 8], is_causal=1),
    "causal, few keys": dict(q=[1, 2, 40, 8], k=[1, 2, 23, 8], is_causal=1),
    "cross": dict(q=[1, 4, 33, 24], k=[1, 4, 77, 24], v=[1, 4, 77, 40]),
    "odd channels": dict(q=[1, 4, 30, 13], v=[1, 4, 30, 11]),
    "shared keys": dict(q=[1, 12, 100, 16], k=[1, 4, 350, 16]),
    "padding mask": dict(q=[2, 4, 30, 16], mask=([2, 1, 1, 30], B)),
    "boolean mask": dict(q=[1, 4, 30, 16], k=[1, 4, 401, 16], mask=([30, 401], B)),
    "mask of blocks": dict(q=[1, 4, 30, 16], k=[1, 4, 401, 16], mask=([1, 4, 30, 401], F)),
    "softcap": dict(q=[1, 4, 30, 16], softcap=2.0),
    # Scores far above those of the first keys: the weights of a block are computed again.
    "large scores": dict(q=[1, 2, 200, 16], scale=8.0),
    "large scores of blocks": dict(q=[1, 1, 500, 16], scale=8.0),
    "large scores, causal": dict(q=[1, 2, 350, 16], scale=8.0, is_causal=1),
}


@pytest.mark.parametrize("flags", [(), ("-march=x86-64-v2",)], ids=["v3", "v2"])
@pytest.mark.parametrize("case", CASES)
def test_attention(case, flags):
    shapes = dict(CASES[case])
    shapes.setdefault("k", shapes["q"])
    shapes.setdefault("v", shapes["k"])
    check(coat.compile(model(**shapes), flags=flags), **shapes)


@pytest.mark.parametrize("is_causal", [0, 1])
def test_symbolic_length(is_causal):
    shape = [1, 2, "S", 16]
    module = coat.compile(model(shape, shape, shape, is_causal=is_causal), dims={"S": (1, 600)})
    for length in (1, 4, 17, 64, 250, 597):
        at = [1, 2, length, 16]
        check(module, at, at, at, is_causal=is_causal)
