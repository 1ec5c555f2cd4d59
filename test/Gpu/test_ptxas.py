"""What ptxas makes of the kernels of models: no spills, no stack, no warning that products were serialized, registers and shared memory
within the table ptxas.json, whose key is the version of ptxas. With COAT_TEST_LONG=1 the large models too, and of every kernel the
instructions it is written for. After a wanted change, COAT_UPDATE_PTXAS=1 (in one process) writes the table."""
import json
import os
import re
import subprocess

import pytest

from compiled_kernels import tool
from ptxas_cache import Assembled, instructions, tool_of_cuda

TABLE = os.path.join(os.path.dirname(__file__), "ptxas.json")
LONG = "COAT_TEST_LONG" in os.environ
SMALL = ["lenet5", "text_classifier", "conv_attention"]
LARGE = ["resnet50", "mobilenet_v2", "vit_ti16", "unet_attention", "swin_t"]
MODES = {"f32": [], "tf32": ["--tf32"], "f16": ["--dtype=f16"], "bf16": ["--dtype=bf16"]}
LINE = re.compile(r"^k\d+_(\w+) +(\d+) registers, (\d+) bytes of spills, (\d+) bytes of stack, (\d+) bytes of shared memory", re.M)


def compare_with_table(name, most):
    version = os.environ["COAT_PTXAS_VERSION"]
    with open(TABLE) as file:
        table = json.load(file)
    if os.environ.get("COAT_UPDATE_PTXAS"):
        table.setdefault(version, {})[name] = most
        rows = lambda entries: ",\n".join(f"  {json.dumps(key)}: {json.dumps(entries[key], sort_keys=True)}" for key in sorted(entries))
        with open(TABLE, "w") as file:
            file.write("{\n" + ",\n".join(f" {json.dumps(v)}: {{\n{rows(table[v])}\n }}" for v in sorted(table)) + "\n}\n")
    # A version without a table: what does not depend on it has been checked.
    for arch, (registers, shared) in table.get(version, {}).get(name, {}).items():
        assert most[arch][0] <= registers and most[arch][1] <= shared, (name, arch, most[arch], [registers, shared])


def check_instructions(assembled, name, mode):
    """Of each kernel, and of each architecture's kernels together."""
    of_archs = {"sm_80": set(), "sm_90a": set()}
    for cubin in assembled.cubins():
        found = {re.match(r"HGMMA|UTMALDG|HMMA|LDGSTS|FFMA|LDL|STL|", opcode)[0] for opcode in instructions(cubin)}
        assert not found & {"LDL", "STL"}, cubin
        # What is copied by maps is multiplied by warpgroups, and the other way round.
        assert ("HGMMA" in found) == ("UTMALDG" in found), cubin
        with open(cubin[:-len("cubin")] + "txt") as report:
            of_archs[re.search(r"for '(\w+)'", report.read())[1]] |= found
    assert ("HMMA" if mode != "f32" else "FFMA") in of_archs["sm_80"] and "LDGSTS" in of_archs["sm_80"], of_archs
    # Products of LeNet have no rows of 16 bytes, those of the text classifier no 64 rows; wgmma takes no tf32 that lies along n, as
    # the weights of linear layers do.
    if mode != "f32" and name not in ("lenet5", "text_classifier") and (mode != "tf32" or name not in ("vit_ti16", "swin_t")):
        assert "HGMMA" in of_archs["sm_90a"], of_archs


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n))
                                  for n in SMALL + LARGE * LONG])
def test_kernels_of(model, name, mode, tmp_path):
    with Assembled(tmp_path / "assembled") as assembled:
        done = subprocess.run([tool("coat"), "compile", f"{model(name)}.legacy.onnx", "--device=cuda", "--gpu-arch=sm_80,sm_90a",
                               *MODES[mode], "-v", "-o", str(tmp_path / "net.so")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "C7510" not in done.stderr and "C7514" not in done.stderr, done.stderr
    most = {}
    for arch, registers, spills, stack, shared in LINE.findall(done.stderr):
        assert (spills, stack) == ("0", "0"), f"{arch} {done.stderr}"
        before = most.get(arch, [0, 0])
        most[arch] = [max(before[0], int(registers)), max(before[1], int(shared))]
    assert set(most) == {"sm_80", "sm_90a"}
    compare_with_table(f"{name} {mode}", most)
    if LONG and tool_of_cuda("nvdisasm"):
        check_instructions(assembled, name, mode)
