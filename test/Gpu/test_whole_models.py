"""Whole CUDA models end to end without a GPU: coat's library on the mock driver, its kernels in the emulator, against the
reference (-O0) on the CPU. COAT_GPU_MODELS=name,.. names others than the small ones, which is what check_long.sh does."""
import os

import numpy as np
import pytest

from conftest import within_bounds
from device import DeviceModel, reference

MODELS = os.environ.get("COAT_GPU_MODELS", "lenet5,text_classifier,conv_attention").split(",")


# Flags, and the share of the largest magnitude that a result may be off.
NARROW = {"tf32": (["--tf32"], 5e-3), "f16": (["--dtype=f16"], 1e-2), "bf16": (["--dtype=bf16"], 5e-2)}


@pytest.fixture(scope="module", params=[pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in MODELS])
def compiled(request, model, tmp_path_factory):
    source = f"{model(request.param)}.legacy.onnx"
    folder = tmp_path_factory.mktemp(request.param)
    return DeviceModel(source, folder), reference(source, folder), source


@pytest.mark.parametrize("capability", ["8.0", "9.0"])
def test_model(compiled, capability):
    device, expected, _ = compiled
    got = device.run(capability=capability)
    assert got.keys() == expected.keys()
    for name, value in got.items():
        within_bounds(value, expected[name])
    assert not device.account()["faults"]


def test_order_of_threads(compiled):
    """What completes late, and which thread runs first, changes no bit."""
    device, _, _ = compiled
    first, second = device.run(seed=1), device.run(seed=2)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("type", NARROW)
def test_tensor_cores(compiled, type, tmp_path):
    """Operands rounded for tensor cores: the same result, less exactly."""
    _, expected, source = compiled
    flags, share = NARROW[type]
    device = DeviceModel(source, tmp_path, archs=["sm_90a"], flags=flags)
    for name, value in device.run().items():
        within_bounds(value, expected[name], rtol=0, atol=share)
    assert not device.account()["faults"]
