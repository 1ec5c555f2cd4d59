"""Kernels of one instruction in the emulator: they run, the same for any order of threads; and as a GPU computed them, once
scripts/gpu_check.sh --golden has written that down."""
import os

import numpy as np
import pytest

from cases import CONFORMANCE
from device import DeviceModel

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")


@pytest.mark.parametrize("case", CONFORMANCE, ids=lambda case: case["name"])
def test_instruction(case, tmp_path):
    source = tmp_path / "kernel.mlir"
    source.write_text(case["text"])
    model = DeviceModel(source, tmp_path, archs=[case["arch"]], flags=case["flags"])
    capability = "9.0" if case["arch"] == "sm_90a" else "8.0"
    names = ["x", "w"]
    inputs = dict(zip(names, case["inputs"]()))
    results = [model.run(inputs, capability, seed) for seed in (1, 2)]
    (first,), (second,) = (list(result.values()) for result in results)
    np.testing.assert_array_equal(first, second)
    assert not model.account()["faults"]
    golden = os.path.join(GOLDEN, case["name"] + ".bin")
    if os.path.exists(golden):
        expected = np.fromfile(golden, first.dtype).reshape(first.shape)
        np.testing.assert_allclose(first, expected, rtol=case["rtol"], atol=case["atol"] * max(np.abs(expected).max(), 1))
