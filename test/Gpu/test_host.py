"""The host side of CUDA models: what a library does with a driver, on the mock one (test/Gpu/mock), and what it says without."""
import glob
import json
import os
import shutil
import subprocess
import sys

import pytest

import device
from device import BUILD, COAT, MOCK, ROOT, DeviceModel, call

HERE = os.path.dirname(os.path.abspath(__file__))
TMA = os.path.join(HERE, "Inputs", "tma.mlir")


@pytest.fixture(scope="module")
def tma(tmp_path_factory):
    """y = x + 1 by two launches of one hand-written kernel."""
    return DeviceModel(TMA, tmp_path_factory.mktemp("tma"), "tma", flags=["--start-at=memory"])


def cuda_headers():
    for folder in [os.environ.get("CUDA_HOME", "/usr/local/cuda"), "/usr/local/cuda",
                   *(os.path.join(path, "nvidia", "*") for path in sys.path)]:
        for header in glob.glob(os.path.join(folder, "include", "cuda.h")):
            return os.path.dirname(header)
    return None


def test_declarations_of_the_driver():
    """Ours against NVIDIA's header."""
    headers = cuda_headers()
    if not headers:
        pytest.skip("no cuda.h: needs a toolkit or PyPI's nvidia-cuda-runtime")
    call("cc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/runtime", "-isystem", headers,
         os.path.join(HERE, "driver_abi.c"))


# Capability of the GPU, the code that must be loaded for it (the name in the trace of the mock).
@pytest.mark.parametrize("capability, loaded", [("8.0", "sm_80 cubin"), ("8.9", "sm_80 cubin"), ("9.0", "sm_90a cubin"),
                                                ("10.0", "sm_80 ptx"), ("12.1", "sm_80 ptx")])
def test_choice_of_code(tma, capability, loaded):
    tma.run(capability=capability)
    account = tma.account()
    assert {name: n for name, n in account["calls"].items() if name.startswith("load ")} == {f"load {loaded}": 1}
    assert not account["faults"]
    assert (account["allocations"], account["modules"], account["contexts"]) == (0, 0, 0)  # all given back


@pytest.mark.parametrize("capability, words", [
    ("7.5", "GPU of compute capability 7.5: expected one that the kernels were compiled for: sm_90a, sm_80, compute_80 or later"),
    ("none", "no CUDA-capable device is detected (100)")])
def test_no_code_fits(tma, capability, words):
    done = subprocess.run([COAT, "run", tma.library], capture_output=True, text=True, env=tma.environment(capability))
    assert done.returncode == 1 and words in done.stderr
    assert not tma.account()["faults"]


def test_shared_memory_of_the_gpu(tma, tmp_path):
    """The next code is tried where a kernel asks for more than the GPU has; the last reason is told."""
    environment = {**tma.environment(), "COAT_MOCK_SHARED": "2048"}
    call(COAT, "run", tma.library, env=environment)
    assert "load sm_80 ptx" in tma.account()["calls"] and not tma.account()["faults"]
    alone = tmp_path / "libalone.so"
    only = [f for f in tma.flags if not f.startswith("--gpu-arch")]
    text = open(TMA).read()
    (tmp_path / "alone.mlir").write_text(text[:text.index("gpu.module @k0_sm_80")] + text[text.index("gpu.module @k0_sm_90a"):])
    call(COAT, "compile", tmp_path / "alone.mlir", *only[1:], "-o", alone)
    done = subprocess.run([COAT, "run", alone], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "k0: expected 4096 bytes of shared memory, the GPU has 2048" in done.stderr


def test_no_driver(tma):
    environment = {**os.environ, "LD_LIBRARY_PATH": "", "PYTHONPATH": os.path.join(BUILD, "python")}
    done = subprocess.run([COAT, "run", tma.library], capture_output=True, text=True, env=environment)
    if "Shared" in done.stdout or done.returncode == 0:
        pytest.skip("this machine has a driver")
    assert "libcuda.so.1: expected an NVIDIA driver, found none" in done.stderr
    load = f"import coat; coat.load({tma.library!r})"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, env=environment)
    assert "RuntimeError: libcuda.so.1: expected an NVIDIA driver, found none" in done.stderr


def test_driver_without_tma(tma, tmp_path):
    """A driver older than CUDA 12 has no functions for TMA maps: the code for sm_80 runs, as PTX."""
    with open(tmp_path / "old.map", "w") as file:
        file.write("{ global: cu*; local: *; };")
    lines = open(os.path.join(HERE, "mock", "maps.cpp")).read().replace("MOCK_API cuTensorMap", "MOCK_API old_TensorMap")
    (tmp_path / "maps.cpp").write_text(lines)
    others = [path for path in glob.glob(os.path.join(HERE, "mock", "*.cpp")) if not path.endswith("maps.cpp")]
    call("c++", "-std=c++17", "-fPIC", "-shared", f"-I{ROOT}/include", f"-I{HERE}/mock", *others, tmp_path / "maps.cpp",
         "-o", tmp_path / "libcuda.so.1", "-ldl")
    environment = {**tma.environment("9.0"), "LD_LIBRARY_PATH": os.fspath(tmp_path)}
    y = device.run(tma.library, None, environment)
    account = tma.account()
    assert "load sm_80 ptx" in account["calls"] and not account["faults"] and y


def test_maps_are_encoded_once(tma):
    """One map a launch, however often the same pointers come."""
    call(COAT, "bench", tma.library, "--seconds", "0.1", env={**tma.environment(), "COAT_EMULATED": ""})
    account = tma.account()
    assert account["calls"]["cuLaunchKernel"] > 10 and account["calls"]["cuTensorMapEncodeTiled"] == 2
    assert not account["faults"]


@pytest.mark.parametrize("capability", ["8.0", "9.0"])
def test_c_interface(tma, tmp_path, capability):
    """Device pointers, hooks, threads, a captured graph."""
    archive = os.path.join(tma.folder, "libtma.a")
    call(COAT, "compile", *tma.flags, "-o", archive)
    call("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-I{tma.folder}", f"-I{BUILD}/include",
         os.path.join(HERE, "interface.c"), archive, "-o", tmp_path / "app", "-ldl", "-lpthread")
    assert call(tmp_path / "app", env=tma.environment(capability)) == "right\n"
    account = tma.account()
    assert not account["faults"]
    assert (account["allocations"], account["modules"], account["contexts"]) == (0, 0, 0)


def test_what_the_files_say(tma):
    assert tma.json["device"] == "cuda" and tma.json["targets"] == ["sm_90a", "sm_80", "compute_80"]
    kernels = {(k["name"], k["arch"]): k for k in tma.json["device_kernels"]}
    assert set(kernels) == {("k0", "sm_80"), ("k0", "sm_90a")}
    assert kernels["k0", "sm_90a"]["dynamic_shared"] == 4096 and kernels["k0", "sm_90a"]["tma_maps"] == 1
    assert all(k["grid"] == [2, 1, 1] and k["block"] == [128, 1, 1] and k["registers"] > 0 for k in kernels.values())
    header = open(os.path.join(tma.folder, "tma.h")).read()
    assert "in the memory of the GPU" in header and "COAT_HOST_TENSORS" in header


def test_symbols(tma):
    """dlopen and dlsym, beside what any model needs; a CPU model does not get them."""
    allowed = {"malloc", "free", "memcpy", "memmove", "memset"}
    nm = shutil.which("llvm-nm-22") or shutil.which("nm")
    listing = call(nm, "-D", "--undefined-only", "--format=posix", tma.library)
    assert {line.split()[0].split("@")[0] for line in listing.splitlines()} <= allowed | {"dlopen", "dlsym"}


def test_python(tma):
    """coat.load and arrays of the host."""
    program = f"""
import sys; sys.path.insert(0, {os.path.join(BUILD, 'python')!r})
import coat, numpy as np
module = coat.load({tma.library!r})
assert module.info["device"] == "cuda"
x = np.arange(32 * 64, dtype=np.float32).reshape(32, 64)
for _ in range(2):
    y, = module(x)
    assert (y == x + 1).all()
"""
    call(sys.executable, "-c", program, env=tma.environment())
    assert not tma.account()["faults"]


def test_example(tmp_path):
    """examples/cuda: a stream of one's own, then a CUDA graph."""
    model = DeviceModel(os.path.join(ROOT, "examples", "edges.mlir"), tmp_path, "edges_cuda", archs=["sm_80"])
    call("cc", "-std=gnu11", f"-I{tmp_path}", f"-I{BUILD}/include", os.path.join(ROOT, "examples", "cuda", "app.c"),
         model.library, "-o", tmp_path / "app", "-ldl")
    environment = model.environment("8.0")
    environment["LD_LIBRARY_PATH"] += f":{tmp_path}"
    assert call(tmp_path / "app", env=environment) == "stream: strongest edge: 4.0\ngraph: strongest edge: 4.0\n"
    assert not model.account()["faults"]


def test_gpu_check(tmp_path):
    """scripts/gpu_check.sh from a folder that was carried along: one instruction, right and then wrong."""
    folder = tmp_path / "carried"
    prepare = os.path.join(ROOT, "scripts", "gpu", "prepare.py")
    call(sys.executable, prepare, folder, "--only", "shfl", env={**os.environ, "COAT_BUILD": BUILD})
    model = DeviceModel(folder / "shfl.mlir", tmp_path, archs=["sm_80"], flags=["--start-at=memory"])
    check = [os.path.join(ROOT, "scripts", "gpu_check.sh"), "--no-sanitizer"]
    environment = {**model.environment("8.0"), "COAT_GPU_CHECK": os.fspath(folder)}
    call(*check, env=environment)
    with open(folder / "results.json") as file:
        results = json.load(file)
    assert results["capability"] == "8.0"
    assert results["results"][0] == {"name": "shfl", "kind": "conformance", "error": 0.0, "graph": True}
    assert not model.account()["faults"]
    (folder / "shfl.out0").write_bytes(bytes(512))
    done = subprocess.run(check, capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "wrong result" in done.stdout
