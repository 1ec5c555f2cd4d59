"""The benchmark commands run and say what they promise, on the smallest cases and with the peers that the tests have."""
import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT


def run(tmp_path, script, *arguments):
    out = str(tmp_path / "result")
    command = [sys.executable, os.path.join(ROOT, "benchmarks", script), *arguments, "--rounds", "3", "--cache", str(tmp_path), "--out", out]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(out + ".md")
    with open(out + ".json") as file:
        return json.load(file)


@pytest.mark.xdist_group("lenet5")
def test_models(tmp_path):
    record = run(tmp_path, "models.py", "lenet5", "--peers", "onnxruntime")
    result, = record["results"]
    assert result["fastest"] == "onnxruntime" and result["ratios"]["onnxruntime"]["rounds"] == 3
    assert record["versions"]["onnxruntime"] and record["machine"]["cores"]


def test_kernels(tmp_path):
    record = run(tmp_path, "kernels.py", "softmax 1x1000", "mobilenet 1x1 7")
    assert [r["kernel"] for r in record["results"]] == ["mobilenet 1x1 7 160>960", "softmax 1x1000"]
    assert all(r["gflops"] > 0 and "torch" in " ".join(r["ratios"]) for r in record["results"])
