"""Compiles what scripts/gpu_check.sh checks, with inputs and expected results as raw bytes, and writes the list of it. Needs coat and
NumPy; PyTorch and onnx only where an exported model is not there yet."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(ROOT, "test", "Gpu"))
from cases import CONFORMANCE, attention_case, conv_case, matmul_case  # noqa: E402
from device import MOCK, run  # noqa: E402

MODELS = {  # name -> whether compute-sanitizer, which is slow, sees it
    "lenet5": True, "text_classifier": True, "conv_attention": True, "resnet18": False, "resnet50": False,
    "mobilenet_v2": False, "vit_ti16": False, "unet_attention": False, "swin_t": False,
    # Of the large ones, small enough for compute-sanitizer: what the emulator has run.
    "resnet50_twin": True, "mobilenet_v2_twin": True, "vit_ti16_twin": True, "unet_attention_twin": True, "swin_t_twin": True}
# Flags, rtol of an element and atol of the largest magnitude.
VARIANTS = {"f32": ([], 1e-3, 1e-4), "tf32": (["--tf32"], 1e-2, 5e-3), "f16": (["--dtype=f16"], 1e-2, 1e-2),
            "bf16": (["--dtype=bf16"], 4e-2, 4e-2)}
# Those of ResNet-50 at batch 64: C, H, K, kernel, stride, pad.
CONVS = [(64, 56, 64, 1, 1, 0), (64, 56, 64, 3, 1, 1), (64, 56, 256, 1, 1, 0), (256, 56, 64, 1, 1, 0),
         (256, 56, 128, 1, 1, 0), (128, 56, 128, 3, 2, 1), (128, 28, 512, 1, 1, 0), (512, 28, 128, 1, 1, 0),
         (128, 28, 128, 3, 1, 1), (512, 28, 256, 1, 1, 0), (256, 28, 256, 3, 2, 1), (256, 14, 1024, 1, 1, 0),
         (1024, 14, 256, 1, 1, 0), (256, 14, 256, 3, 1, 1), (1024, 14, 512, 1, 1, 0), (512, 14, 512, 3, 2, 1),
         (512, 7, 2048, 1, 1, 0), (2048, 7, 512, 1, 1, 0), (512, 7, 512, 3, 1, 1)]


def benches():
    cases = [matmul_case(m, n, k, "bf16") for m, n, k in [(4096,) * 3, (8192,) * 3, (2048, 512, 512)]]
    cases += [conv_case(64, *shape, "bf16") for shape in CONVS]
    cases += [attention_case(4, 16, length, d, "bf16", causal)
              for d, length in [(128, 2048), (128, 8192), (64, 2048)] for causal in (False, True)]
    return cases


class Preparation:
    def __init__(self, folder, archs, models):
        self.folder, self.archs, self.models = folder, archs, models
        os.makedirs(folder, exist_ok=True)

    def compile(self, source, case, flags):
        library = f"{case['name']}.so"
        command = [os.path.join(BUILD, "bin", "coat"), "compile", source, "--name=net", "--device=cuda",
                   f"--gpu-arch={self.archs}", *flags, "-o", os.path.join(self.folder, library)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"{case['name']}: {done.stderr.strip()}", file=sys.stderr)
            return None
        if case["kind"] == "conformance":
            case = {**case, "expected": self.emulate(source, case, flags, library)}
        print(case["name"], flush=True)
        return {**case, "library": library}

    def emulate(self, source, case, flags, library):
        """What the emulator computes: that is the question."""
        with tempfile.TemporaryDirectory() as folder:
            kernels, emulated = os.path.join(folder, "k.mlirbc"), os.path.join(folder, "k.so")
            coat = [os.path.join(BUILD, "bin", "coat"), "compile", source, "--name=net", "--device=cuda", *flags]
            subprocess.run([*coat, "--stop-after=memory", "-o", kernels], check=True)
            subprocess.run([os.path.join(BUILD, "bin", "coat-emulate"), kernels, "-o", emulated], check=True)
            shutil.copy(os.path.join(self.folder, library), folder)
            environment = {**os.environ, "LD_LIBRARY_PATH": MOCK, "COAT_EMULATED": emulated,
                           "COAT_MOCK_CAPABILITY": "9.0" if case["arch"] == "sm_90a" else "8.0"}
            arrays = [np.fromfile(os.path.join(self.folder, name), np.int32) for name in case["inputs"]]
            outputs = run(os.path.join(folder, library), dict(zip(("x", "w"), arrays)), environment)
        return [self.write(f"{case['name']}.out{i}", a) for i, a in enumerate(outputs.values())]

    def write(self, name, array):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(np.ascontiguousarray(array).tobytes())
        return name

    def model(self, name):
        """All variants of an exported model; expected results are the framework's own on the CPU."""
        path = os.path.join(self.models, name)
        if not os.path.exists(path + ".npz"):
            script = os.path.join(ROOT, "test", "Gpu/twins.py" if name.endswith("_twin") else "models/export.py")
            subprocess.run([sys.executable, script, self.models, name], check=True, capture_output=True)
        arrays = np.load(path + ".npz")
        inputs = [self.write(f"{name}.{key}", arrays[key]) for key in arrays if not key.startswith("output_")]
        expected = [self.write(f"{name}.{key}", arrays[key]) for key in arrays if key.startswith("output_")]
        for variant, (flags, rtol, atol) in VARIANTS.items():
            case = {"name": f"{name}-{variant}", "kind": "model", "inputs": inputs, "expected": expected, "rtol": rtol,
                    "atol": atol, "small": MODELS[name] and variant in ("f32", "f16")}
            if not name.endswith("_twin"):
                case["peer"] = {"kind": "network", "network": name, "dtype": variant}
            yield path + ".legacy.onnx", case, flags

    def text(self, case):
        """A case of test/Gpu/cases.py: MLIR text, inputs as arrays, perhaps expected results."""
        source = os.path.join(self.folder, case["name"] + ".mlir")
        with open(source, "w") as file:
            file.write(case["text"])
        described = {key: case[key] for key in ("name", "kind", "rtol", "atol", "peer", "flops", "large", "arch") if key in case}
        described["inputs"] = [self.write(f"{case['name']}.in{i}", a) for i, a in enumerate(case["inputs"]())]
        return source, described, case.get("flags", [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--gpu-arch", default="sm_80,sm_90a")
    parser.add_argument("--only", default="", help="cases whose name holds one of these, separated by commas")
    parser.add_argument("--models", default=os.path.join(BUILD, "models"), help="where exported models are, or are put")
    arguments = parser.parse_args()
    wanted = [part for part in arguments.only.split(",") if part]
    chosen = lambda name: not wanted or any(part in name for part in wanted)
    preparation = Preparation(arguments.folder, arguments.gpu_arch, arguments.models)
    work = [preparation.text(case) for case in CONFORMANCE + benches() if chosen(case["name"])]
    for name in MODELS:
        if any(chosen(f"{name}-{variant}") for variant in VARIANTS):
            work += [entry for entry in preparation.model(name) if chosen(entry[1]["name"])]
    with ThreadPoolExecutor(2) as pool:
        cases = [case for case in pool.map(lambda entry: preparation.compile(*entry), work) if case]
    version = subprocess.run([os.path.join(BUILD, "bin", "coat"), "--version"], capture_output=True, text=True).stdout
    with open(os.path.join(arguments.folder, "manifest.json"), "w") as file:
        json.dump({"compiler": version.strip().splitlines()[0] if version.strip() else "", "archs": arguments.gpu_arch,
                   "cases": cases}, file, indent=1)
    print(f"{len(cases)} of {len(work)} compiled into {arguments.folder}")
    return len(cases) != len(work)


if __name__ == "__main__":
    sys.exit(main())
