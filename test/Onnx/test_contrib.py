"""Ops of com.microsoft, which ONNX Runtime's transformer exporters write, against ONNX Runtime itself."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

import coat

TYPES = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(np.int32): onnx.TensorProto.INT32,
         np.dtype(np.int64): onnx.TensorProto.INT64}
rng = np.random.default_rng(0)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def i(*values):
    return np.array(values, np.int32)


def check(op, inputs, outputs=1, rtol=1e-4, atol=1e-5, constant=(), valid=None, **attributes):
    """Compiles the op alone; `None` inputs are absent, those at `constant` are initializers. Of caches, the `valid` first
    keys are compared."""
    names = ["" if x is None else f"x{n}" for n, x in enumerate(inputs)]
    node = helper.make_node(op, names, [f"y{n}" for n in range(outputs)], domain="com.microsoft", **attributes)
    types = [onnx.TensorProto.INT32 if op.startswith("Embed") and n == 1 else onnx.TensorProto.FLOAT for n in range(outputs)]
    run_time = {f"x{n}": x for n, x in enumerate(inputs) if x is not None and n not in constant}
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info(n, TYPES[x.dtype], x.shape) for n, x in run_time.items()],
        [helper.make_tensor_value_info(f"y{n}", types[n], None) for n in range(outputs)],
        [onnx.numpy_helper.from_array(inputs[n], f"x{n}") for n in constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)],
                              ir_version=9)
    wanted = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, run_time)
    for level in ("-O0", "-O2"):
        got = coat.compile(model, flags=[level])(*run_time.values())
        for ours, theirs in zip(got, wanted, strict=True):
            assert ours.shape == theirs.shape
            if ours.ndim == 4:
                ours, theirs = ours[:, :, :valid], theirs[:, :, :valid]
            np.testing.assert_allclose(ours, theirs, rtol, atol)


def test_gelus():
    check("Gelu", [f(2, 3, 8)])
    check("QuickGelu", [f(2, 3, 8)], alpha=1.5)
    check("BiasGelu", [f(2, 3, 8), f(8)])
    check("FastGelu", [f(2, 3, 8), f(8)], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("a,b,swaps", [((2, 3, 4), (2, 4, 5), (0, 0)), ((2, 4, 3), (4, 5), (1, 0)), ((3, 4), (5, 4), (0, 1))])
def test_fused_matmul(a, b, swaps):
    check("FusedMatMul", [f(*a), f(*b)], transA=swaps[0], transB=swaps[1], alpha=0.5)


def test_skip_norms():
    x, skip, scale, beta, bias = f(2, 3, 8), f(2, 3, 8), f(8), f(8), f(8)
    check("SkipLayerNormalization", [x, skip, scale, beta, bias], epsilon=1e-5)
    check("SkipLayerNormalization", [x, skip, scale, beta])
    check("SkipSimplifiedLayerNormalization", [x, skip, scale, bias], epsilon=1e-5)


def test_embedding():
    """Its second output, lengths of a mask that is not there, is zeros."""
    ids, segments = rng.integers(0, 9, (2, 5)).astype(np.int32), rng.integers(0, 2, (2, 5)).astype(np.int32)
    check("EmbedLayerNormalization", [ids, segments, f(9, 8), f(6, 8), f(2, 8), f(8), f(8)], outputs=2)


@pytest.mark.parametrize("shape,interleaved", [((2, 3, 16), 0), ((2, 3, 16), 1), ((2, 2, 3, 8), 0)])
def test_rotary(shape, interleaved):
    positions = np.array([[4, 2, 0], [1, 5, 3]])
    for at in (positions, np.array([2])):
        check("RotaryEmbedding", [f(*shape), at, f(9, 4), f(9, 4)], interleaved=interleaved)


@pytest.mark.parametrize("attributes", [{}, {"unidirectional": 1}, {"scale": 0.3}])
def test_packed_attention(attributes):
    x, w, b = f(2, 4, 6), f(6, 24), f(24)
    check("Attention", [x, w, b], num_heads=2, **attributes)
    check("Attention", [x, w, b, i([1, 1, 1, 0], [1, 1, 0, 0])], num_heads=2, **attributes)
    check("Attention", [x, w, b, None, f(2, 2, 2, 3, 4)], outputs=2, num_heads=2, **attributes)


def test_packed_attention_masks():
    x, w, b = f(2, 4, 6), f(6, 28), f(28)
    check("Attention", [x, w, b, i(4, 2)], num_heads=2, qkv_hidden_sizes=[8, 8, 12])
    check("Attention", [x, f(6, 24), f(24), None, None, f(1, 2, 4, 4)], num_heads=2)


def test_multi_head_attention():
    q, k, v = f(2, 3, 8), f(2, 5, 8), f(2, 5, 12)
    check("MultiHeadAttention", [q, k, v], num_heads=2)
    check("MultiHeadAttention", [q, k, v, f(28), i([1, 1, 1, 1, 0], [1, 1, 0, 0, 0]), f(2, 2, 3, 5)], num_heads=2, scale=0.4)
    check("MultiHeadAttention", [q, f(2, 2, 5, 4), f(2, 2, 5, 4)], num_heads=2)
    past = f(2, 2, 4, 4), f(2, 2, 4, 4)
    check("MultiHeadAttention", [q, f(2, 3, 8), f(2, 3, 8), None, None, None, *past], outputs=3, num_heads=2)


def prompt(**attributes):
    total = np.array(4, np.int32)
    check("GroupQueryAttention", [f(1, 4, 64), f(1, 4, 32), f(1, 4, 32), None, None, i(3), total, f(8, 8), f(8, 8)],
          outputs=3, constant=(6,), num_heads=4, kv_num_heads=2, **attributes)


@pytest.mark.parametrize("attributes", [{}, {"do_rotary": 1}, {"do_rotary": 1, "rotary_interleaved": 1}, {"softcap": 2.0},
                                        {"local_window_size": 2}, {"scale": 0.2}])
def test_group_query_attention(attributes):
    """A prompt without a past, then a step that appends to a past with room."""
    prompt(**attributes)
    total = np.array(7, np.int32)
    past = f(2, 2, 9, 16), f(2, 2, 9, 16)
    check("GroupQueryAttention", [f(2, 1, 64), f(2, 1, 32), f(2, 1, 32), *past, i(6, 4), total, f(10, 8), f(10, 8)],
          outputs=3, constant=(6,), valid=5, num_heads=4, kv_num_heads=2, **attributes)


def test_group_query_attention_packed():
    check("GroupQueryAttention", [f(1, 4, 128), None, None, None, None, i(3), np.array(4, np.int32)], constant=(6,),
          outputs=3, num_heads=4, kv_num_heads=2)


def test_simplified_norm():
    """Lives in the default domain, where ONNX does not know it."""
    node = helper.make_node("SimplifiedLayerNormalization", ["x", "s"], ["y"], axis=-1, epsilon=1e-5)
    x, scale = f(2, 3, 8), f(8)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", 1, x.shape)],
                              [helper.make_tensor_value_info("y", 1, x.shape)], [onnx.numpy_helper.from_array(scale, "s")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    wanted, = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})
    np.testing.assert_allclose(coat.compile(model)(x)[0], wanted, 1e-4, 1e-5)


@pytest.mark.parametrize("op,inputs,attributes,message", [
    ("GroupQueryAttention", [f(1, 1, 16), f(1, 1, 8), f(1, 1, 8), None, None, i(0), np.array(1, np.int32)],
     {"num_heads": 2, "kv_num_heads": 1, "smooth_softmax": 1}, "smooth_softmax"),
    ("MultiHeadAttention", [f(1, 2, 2, 3, 4)], {"num_heads": 2}, "packed"),
    ("FusedMatMul", [f(2, 2, 2), f(2, 2, 2)], {"transBatchA": 1}, "transBatchA"),
])
def test_refused(op, inputs, attributes, message):
    with pytest.raises(coat.CompileError, match=message):
        names = ["" if x is None else f"x{n}" for n, x in enumerate(inputs)]
        node = helper.make_node(op, names, ["y"], domain="com.microsoft", **attributes)
        graph = helper.make_graph([node], "g", [helper.make_tensor_value_info(n, TYPES[x.dtype], x.shape)
                                                for n, x in zip(names, inputs) if n],
                                  [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)])
        coat.compile(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20),
                                                             helper.make_opsetid("com.microsoft", 1)], ir_version=9))
