"""Normalizations, whose elements share sums: by teams of threads, by blocks, and one after the other with -ffp-model=strict; in the
emulator against the reference."""
import numpy as np
import pytest

from compiled_kernels import save_model
from conftest import within_bounds
from device import DeviceModel, reference


def draw(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("f4")


def model(folder, shape, groups):
    """Group norm behind a convolution (so channels last), with an activation; softmax and layer norm over its rows."""
    channels, positions = shape[1], shape[2] * shape[3]
    nodes = [
        ("Conv", ["x", "w"], ["c"], dict(pads=[1, 1, 1, 1])),
        ("GroupNormalization", ["c", "scale", "bias"], ["n"], dict(num_groups=groups, epsilon=1e-3)),
        ("Sigmoid", ["n"], ["s"], {}),
        ("Mul", ["n", "s"], ["y"], {}),
        ("Reshape", ["y", "rows"], ["r"], {}),
        ("Softmax", ["r"], ["p"], dict(axis=-1)),
        ("LayerNormalization", ["r", "one"], ["l"], dict(axis=-1)),
    ]
    path = str(folder / "m.onnx")
    save_model(path, nodes, {"x": shape}, {"y": shape, "p": (shape[0] * channels, positions), "l": (shape[0] * channels, positions)},
               {"w": draw(channels, channels, 3, 3) / 8, "scale": draw(channels), "bias": draw(channels),
                "rows": np.array([shape[0] * channels, positions]), "one": np.ones(positions, "f4")}, opset=21)
    return path


@pytest.mark.parametrize("flags, rtol, atol", [([], 1e-3, 1e-4), (["--dtype=f16"], 0, 1e-2), (["-ffp-model=strict"], 1e-3, 1e-5)])
@pytest.mark.parametrize("shape, groups", [((2, 24, 9, 7), 3), ((1, 10, 33, 35), 5)])
def test_norms(shape, groups, flags, rtol, atol, tmp_path):
    source, inputs = model(tmp_path, shape, groups), {"x": draw(*shape)}
    device, expected = DeviceModel(source, tmp_path, flags=flags, assemble=False), reference(source, tmp_path, inputs)
    results = [device.run(inputs, capability) for capability in ("8.0", "9.0")]
    for result in results:
        for name, value in result.items():
            within_bounds(value, expected[name], rtol, atol)
    assert not device.account()["faults"]
    if "-ffp-model=strict" in flags:  # the same bits on every GPU
        for name, value in results[0].items():
            np.testing.assert_array_equal(value, results[1][name])
