"""Whole CUDA models end to end without a GPU: coat's library on the mock driver, its kernels in the emulator, against the reference (-O0)
on the CPU: the small models, and a twin of each large one (twins.py). With COAT_TEST_LONG=1 all of them in all types."""
import os

import numpy as np
import pytest

from conftest import within_bounds
from device import DeviceModel, reference

SMALL = ["lenet5", "text_classifier", "conv_attention"]
TWINS = ["resnet50_twin", "mobilenet_v2_twin", "vit_ti16_twin", "unet_attention_twin", "swin_t_twin"]
# Flags, and what a result may be off: of its own magnitude, and of the largest. Operands rounded for tensor cores give the same result,
# less exactly.
MODES = {"f32": ([], 1e-3, 1e-4), "tf32": (["--tf32"], 0, 5e-3), "f16": (["--dtype=f16"], 0, 1e-2), "bf16": (["--dtype=bf16"], 0, 5e-2)}


@pytest.fixture(scope="module", params=[pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in SMALL + TWINS])
def expected(request, model, tmp_path_factory):
    prefix = model(request.param)
    inputs = {key: value for key, value in np.load(prefix + ".npz").items() if not key.startswith("output_")}
    source = prefix + ".legacy.onnx"
    return source, inputs, reference(source, tmp_path_factory.mktemp(request.param), inputs)


@pytest.mark.parametrize("mode", MODES if "COAT_TEST_LONG" in os.environ else ["f32", "f16"])
def test_model(expected, mode, tmp_path):
    source, inputs, right = expected
    flags, rtol, atol = MODES[mode]
    device = DeviceModel(source, tmp_path, flags=flags, assemble="_twin" not in source)
    for capability in ("8.0", "9.0"):
        first = device.run(inputs, capability)
        assert first.keys() == right.keys() and not device.account()["faults"]
        for name, value in first.items():
            within_bounds(value, right[name], rtol, atol)
    # What completes late, and which thread runs first, changes no bit.
    for name, value in device.run(inputs, "9.0", seed=2).items():
        np.testing.assert_array_equal(value, first[name])
