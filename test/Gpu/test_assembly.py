"""What ptxas makes of products: the instructions that they are written for, and no local memory."""
import subprocess

import numpy as np
import pytest

from compiled_kernels import save_model, tool
from ptxas_cache import instructions, tool_of_cuda


@pytest.fixture(scope="module")
def convolution(tmp_path_factory):
    path = tmp_path_factory.mktemp("assembly") / "conv.onnx"
    save_model(str(path), [("Conv", ["x", "w", "b"], ["c"], dict(pads=[1, 1, 1, 1])), ("Relu", ["c"], ["y"], {})],
               {"x": [4, 64, 14, 14]}, {"y": [4, 64, 14, 14]},
               {"w": np.ones((64, 64, 3, 3), "f4") / 24, "b": np.zeros(64, "f4")})
    return path


@pytest.mark.skipif(not tool_of_cuda("nvdisasm"), reason="expected nvdisasm on PATH or as a Python package")
@pytest.mark.parametrize("arch, flags, expected", [
    ("sm_80", ["--dtype=f16"], ["HMMA.16816.F32", "LDGSTS.E.BYPASS.128", "LDSM"]),
    ("sm_80", ["--tf32"], ["HMMA.1688.F32.TF32", "LDGSTS"]),
    ("sm_80", [], ["FFMA", "LDGSTS"]),
    ("sm_90a", ["--dtype=bf16"], ["HGMMA.64", "UTMALDG.4D.IM2COL", "WARPGROUP.DEPBAR"]),
    ("sm_90a", ["--tf32"], ["HGMMA.64", "UTMALDG.4D.IM2COL"]),
])
def test_instructions(convolution, tmp_path, arch, flags, expected):
    cubin = tmp_path / "conv.cubin"
    subprocess.run([tool("coat"), "compile", str(convolution), "--device=cuda", f"--gpu-arch={arch}", *flags, "-o", str(cubin)], check=True)
    found = instructions(str(cubin))
    for name in expected:
        assert any(instruction.startswith(name) for instruction in found), f"{name} not in {found}"
    assert not any(instruction.startswith(("LDL", "STL")) for instruction in found)
