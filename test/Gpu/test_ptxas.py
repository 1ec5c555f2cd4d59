"""What ptxas reports on the kernels of models: no spills, no stack, no warning that products were serialized, and registers and
shared memory within the table ptxas.json, whose key is the version of ptxas. After a wanted change, COAT_UPDATE_PTXAS=1 writes it.
COAT_GPU_MODELS=name,.. names others than the small models, of which there is no table."""
import json
import os
import re
import subprocess

import pytest

from compiled_kernels import tool

TABLE = os.path.join(os.path.dirname(__file__), "ptxas.json")
SMALL = "lenet5,conv_attention"
MODELS = os.environ.get("COAT_GPU_MODELS", SMALL).split(",")
MODES = {"f32": [], "tf32": ["--tf32"], "f16": ["--dtype=f16"], "bf16": ["--dtype=bf16"]}
LINE = re.compile(r"^k\d+_(\w+) +(\d+) registers, (\d+) bytes of spills, (\d+) bytes of stack, (\d+) bytes of shared memory", re.M)


def version():
    try:
        text = subprocess.run(["ptxas", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return "of the Python package"
    return re.search(r"V([\d.]+)", text).group(1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in MODELS])
def test_ceilings(model, name, mode, tmp_path):
    done = subprocess.run([tool("coat"), "compile", f"{model(name)}.legacy.onnx", "--device=cuda", *MODES[mode], "-v", "-o",
                           str(tmp_path / "net.so")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "C7510" not in done.stderr and "C7514" not in done.stderr, done.stderr
    most = {}
    for arch, registers, spills, stack, shared in LINE.findall(done.stderr):
        assert (spills, stack) == ("0", "0"), f"{arch} {done.stderr}"
        before = most.get(arch, [0, 0])
        most[arch] = [max(before[0], int(registers)), max(before[1], int(shared))]
    assert set(most) == {"sm_80", "sm_90a"}
    with open(TABLE) as file:
        table = json.load(file)
    if os.environ.get("COAT_UPDATE_PTXAS"):
        table.setdefault(version(), {}).setdefault(name, {})[mode] = most
        with open(TABLE, "w") as file:
            json.dump(table, file, indent=1, sort_keys=True)
            file.write("\n")
    ceilings = table.get(version(), {}).get(name, {}).get(mode)
    if ceilings is None:
        return  # a version or a model without a table: what does not depend on it has been checked
    for arch, (registers, shared) in most.items():
        assert registers <= ceilings[arch][0] and shared <= ceilings[arch][1], (arch, most[arch], ceilings[arch])
