"""RNN, GRU and LSTM against ONNX Runtime, with random sizes and every attribute in turn.

The recurrences are computed by one formula at every optimization level, so that nothing inside coat could judge them.
"""
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import coat

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
FUNCTIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
# (op, direction, what else); a case has its seed from its number.
CASES = [
    ("RNN", "forward", {}),
    ("RNN", "reverse", {"bias": True, "lengths": True}),
    ("RNN", "bidirectional", {"bias": True, "initial": True, "activations": ["Affine", "ScaledTanh"],
                              "activation_alpha": [0.5, 0.9], "activation_beta": [0.1, 0.7]}),
    ("RNN", "bidirectional", {"activations": ["LeakyRelu", "ThresholdedRelu"], "activation_alpha": [0.2, 0.3]}),
    ("RNN", "bidirectional", {"activations": ["HardSigmoid", "Elu"], "activation_alpha": [0.3, 0.5], "activation_beta": [0.4]}),
    ("RNN", "bidirectional", {"activations": ["Softsign", "Softplus"], "clip": 0.7, "lengths": True}),
    ("RNN", "forward", {"activations": ["Relu"], "single": True}),
    ("GRU", "forward", {}),
    ("GRU", "reverse", {"bias": True, "initial": True, "lengths": True}),
    ("GRU", "bidirectional", {"bias": True, "linear_before_reset": 1, "lengths": True}),
    ("GRU", "forward", {"linear_before_reset": 1, "initial": True}),
    ("GRU", "bidirectional", {"bias": True, "clip": 0.4, "activations": ["HardSigmoid", "Relu", "Sigmoid", "Softsign"]}),
    ("LSTM", "forward", {}),
    ("LSTM", "reverse", {"bias": True, "initial": True, "lengths": True, "cell": True}),
    ("LSTM", "bidirectional", {"bias": True, "initial": True, "cell": True, "peepholes": True, "lengths": True}),
    ("LSTM", "forward", {"bias": True, "input_forget": 1, "peepholes": True, "cell": True}),
    ("LSTM", "bidirectional", {"clip": 0.3, "bias": True}),
    ("LSTM", "forward", {"activations": ["HardSigmoid", "Softsign", "Affine"], "activation_alpha": [0.25, 1.5],
                         "activation_beta": [0.4, 0.2], "single": True}),
]


def recurrent(op, direction, options, rng):
    """A model of one node with its weights, and its inputs."""
    hidden, features = (int(n) for n in rng.integers(1, 71, 2))
    steps, batch = int(rng.integers(1, 12)), 1 if options.get("single") else int(rng.integers(1, 20))
    directions, gates = 2 if direction == "bidirectional" else 1, GATES[op]
    random = lambda *shape: (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
    weights = {"W": random(directions, gates * hidden, features), "R": random(directions, gates * hidden, hidden)}
    inputs = {"X": rng.standard_normal((steps, batch, features)).astype(np.float32)}
    if options.get("bias"):
        weights["B"] = random(directions, 2 * gates * hidden)
    if options.get("lengths"):
        inputs["L"] = rng.integers(1, steps + 1, batch).astype(np.int32)
    if options.get("initial"):
        inputs["H"] = random(directions, batch, hidden)
    if options.get("cell"):
        inputs["C"] = random(directions, batch, hidden)
    if options.get("peepholes"):
        weights["P"] = random(directions, 3 * hidden)
    there = {**weights, **inputs}
    names = [n if n in there else "" for n in ("X", "W", "R", "B", "L", "H", "C", "P")[:8 if op == "LSTM" else 6]]
    outputs = ["Y", "Yh", "Yc"][:3 if op == "LSTM" else 2]
    attributes = {k: v for k, v in options.items() if k in ("activations", "activation_alpha", "activation_beta", "clip",
                                                            "linear_before_reset", "input_forget")}
    node = helper.make_node(op, names, outputs, hidden_size=hidden, direction=direction, **attributes)
    info = lambda name, array: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
    graph = helper.make_graph([node], "g", [info(k, v) for k, v in inputs.items()],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
                              [numpy_helper.from_array(v, k) for k, v in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), inputs


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{op}-{direction}-{'-'.join(options)}" for op, direction, options in CASES])
def test_recurrent(number):
    op, direction, options = CASES[number]
    model, inputs = recurrent(op, direction, options, np.random.default_rng(number))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, inputs)
    for got, want in zip(coat.compile(model)(**inputs), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-6)


def test_symbolic():
    """One library for every length and batch; the layout with the batch in front."""
    rng = np.random.default_rng(5)
    weights = {"W": rng.standard_normal((2, 80, 9)).astype(np.float32) / 4, "R": rng.standard_normal((2, 80, 20)).astype(np.float32) / 5}
    node = helper.make_node("LSTM", ["X", "W", "R"], ["Y", "", "Yc"], hidden_size=20, direction="bidirectional", layout=1)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", "T", 9])],
                              [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ("Y", "Yc")],
                              [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    module = coat.compile(model, dims={"N": (1, 20), "T": (1, 30)})
    for size, steps in ((1, 1), (3, 30), (20, 7)):
        x = rng.standard_normal((size, steps, 9)).astype(np.float32)
        # ONNX Runtime has the other layout only.
        front = helper.make_graph([helper.make_node("LSTM", ["X", "W", "R"], ["Y", "", "Yc"], hidden_size=20, direction="bidirectional")],
                                  "g", [helper.make_tensor_value_info("X", TensorProto.FLOAT, [steps, size, 9])],
                                  list(graph.output), list(graph.initializer))
        session = onnxruntime.InferenceSession(helper.make_model(front, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
                                               .SerializeToString(), providers=["CPUExecutionProvider"])
        y, cell = session.run(None, {"X": x.transpose(1, 0, 2)})
        got = module(x)
        np.testing.assert_allclose(got[0], y.transpose(2, 0, 1, 3), rtol=1e-4, atol=2e-6)
        np.testing.assert_allclose(got[1], cell.transpose(1, 0, 2), rtol=1e-4, atol=2e-6)
