"""Ops that are loops over buffers (docs/AddAnOp.md, formula ops) as kernels: in the emulator against the same loops on the CPU, which
test/Onnx compares with numbers from elsewhere."""
import numpy as np

from compiled_kernels import save_model
from device import DeviceModel, reference


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("f4")


def check(model, folder, inputs, rtol=0):
    """Bit by bit, unless an op has functions that are polynomials on one side."""
    device = DeviceModel(model, folder, archs=["sm_80"], assemble=False)
    expected = reference(model, folder, inputs)
    got = device.run(inputs, "8.0")
    assert got.keys() == expected.keys() and not device.account()["faults"]
    for name, value in got.items():
        np.testing.assert_allclose(value, expected[name], rtol=rtol, atol=rtol, err_msg=name)


def test_movement_and_order(tmp_path):
    indices = np.array([[2, 0, 1, 1, 3]] * 4)
    nodes = [
        ("CumSum", ["x", "one"], ["cumsum"], dict(reverse=1)),
        ("TopK", ["x", "three"], ["largest", "places"], dict(axis=-1)),
        ("Cast", ["places"], ["places_f"], dict(to=1)),
        ("ScatterElements", ["x", "indices", "updates"], ["scattered"], dict(axis=1, reduction="add")),
        ("ScatterND", ["x", "rows", "row"], ["rows_set"], {}),
        ("GatherND", ["x", "pairs"], ["gathered"], {}),
        ("ReverseSequence", ["x", "lengths"], ["reversed"], dict(batch_axis=0, time_axis=1)),
    ]
    outputs = {"cumsum": (4, 37), "largest": (4, 3), "places_f": (4, 3), "scattered": (4, 37), "rows_set": (4, 37), "gathered": (3, ),
               "reversed": (4, 37)}
    save_model(str(tmp_path / "m.onnx"), nodes, {"x": (4, 37)}, outputs,
               {"one": np.array(1), "three": np.array([3]), "indices": indices, "updates": draw(4, 5), "rows": np.array([[2], [0]]),
                "row": draw(2, 37), "pairs": np.array([[0, 1], [3, 36], [2, 7]]), "lengths": np.array([5, 37, 1, 20])})
    check(str(tmp_path / "m.onnx"), tmp_path, {"x": draw(4, 37)})


def test_sampling(tmp_path):
    nodes = [
        ("GridSample", ["x", "grid"], ["sampled"], dict(mode="linear", padding_mode="border")),
        ("RoiAlign", ["x", "boxes", "images"], ["aligned"], dict(output_height=3, output_width=2, sampling_ratio=2)),
        ("Col2Im", ["columns", "size", "block"], ["image"], {}),
    ]
    save_model(str(tmp_path / "m.onnx"), nodes, {"x": (1, 5, 7, 9), "grid": (1, 4, 6, 2)},
               {"sampled": (1, 5, 4, 6), "aligned": (2, 5, 3, 2), "image": (1, 1, 5, 5)},
               {"boxes": np.array([[0, 0, 4, 4], [1, 2, 7, 6]], "f4"), "images": np.array([0, 0]), "columns": draw(1, 5, 5),
                "size": np.array([5, 5]), "block": np.array([1, 5])})
    check(str(tmp_path / "m.onnx"), tmp_path, {"x": draw(1, 5, 7, 9), "grid": np.clip(draw(1, 4, 6, 2), -1, 1)}, 1e-6)


def test_recurrence(tmp_path):
    nodes = [
        ("LSTM", ["x", "lw", "lr"], ["lstm"], dict(hidden_size=12)),
        ("GRU", ["x", "gw", "gr"], ["gru"], dict(hidden_size=12, direction="reverse")),
        ("RNN", ["x", "rw", "rr"], ["rnn"], dict(hidden_size=12)),
    ]
    weights = {"lw": draw(1, 48, 10), "lr": draw(1, 48, 12), "gw": draw(1, 36, 10), "gr": draw(1, 36, 12), "rw": draw(1, 12, 10),
               "rr": draw(1, 12, 12)}
    save_model(str(tmp_path / "m.onnx"), nodes, {"x": (7, 3, 10)}, {name: (7, 1, 3, 12) for name in ("lstm", "gru", "rnn")}, weights)
    check(str(tmp_path / "m.onnx"), tmp_path, {"x": draw(7, 3, 10)}, 1e-5)
