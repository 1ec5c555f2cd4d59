"""Where the build is, the exported models, made once into build/models, and the CPU that tests compile for.

COAT_BUILD names another build; COAT_TEST_MARCH=x86-64-v2 compiles every model for that CPU unless the test names one.
"""
import fcntl
import functools
import glob
import os
import subprocess
import sys

import numpy as np
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
sys.path.insert(0, os.path.join(BUILD, "python"))
MODELS = os.path.join(BUILD, "models")
MARCH = os.environ.get("COAT_TEST_MARCH", "")
NEEDED = {"x86-64-v3": {"avx2", "fma", "bmi2", "f16c"}, "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}}

# ptxas and nvdisasm of the environment, whatever else the machine has.
os.environ["PATH"] = os.pathsep.join([*glob.glob(os.path.join(sys.prefix, "lib/python3*/site-packages/nvidia/*/bin")), os.environ["PATH"]])

import coat  # noqa: E402


def for_march(compile_model):
    def compile_for(model, *, flags=(), **others):
        names = any(flag.startswith(("-march", "-mcpu", "--isa")) for flag in flags)
        return compile_model(model, flags=flags if names else [*flags, f"-march={MARCH}"], **others)

    return compile_for


if MARCH:
    coat.compile = for_march(coat.compile)


def pytest_collection_modifyitems(items):
    """A CPU that is not there cannot be tested: skipped by its name."""
    if not MARCH:
        return
    with open("/proc/cpuinfo") as info:
        has = set(info.read().split())
    if missing := NEEDED.get(MARCH, set()) - has:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"{MARCH}: this CPU has no {', '.join(sorted(missing))}"))


@functools.cache
def exporter(script, folder):
    """The script as a process that exports what it is told by name: importing PyTorch takes longer than most models."""
    with open(os.path.join(folder, f"{os.path.basename(script)}.{os.getpid()}.log"), "a") as log:
        return subprocess.Popen([sys.executable, script, folder, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)


def exported(name, folder=MODELS):
    """The path prefix of the exported model in `folder`, made when it is not there or older than its sources."""
    os.makedirs(folder, exist_ok=True)
    done = os.path.join(folder, name + ".done")
    script = os.path.join(ROOT, "test", "Gpu/twins.py" if name.endswith("_twin") else "models/export.py")
    newest = max(map(os.path.getmtime, [script, *glob.glob(os.path.join(ROOT, "test", "models", "*.py"))]))
    with open(os.path.join(folder, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of one model may run on both workers
        if not os.path.exists(done) or os.path.getmtime(done) < newest:
            process = exporter(script, folder)
            print(name, file=process.stdin, flush=True)
            if name not in map(str.strip, iter(process.stdout.readline, "")):
                exporter.cache_clear()
                raise RuntimeError(f"{script}: expected to export {name}, got an error; see {folder}/{os.path.basename(script)}.{os.getpid()}.log")
            open(done, "w").close()
    return os.path.join(folder, name)


@pytest.fixture(scope="session")
def model():
    """model(name) -> path prefix of the exported model, made on first use."""
    return exported


def within_bounds(got, expected, rtol=1e-3, atol=1e-4):
    """The bound of the project: rtol 1e-3, atol 1e-4 times the largest magnitude of the expected output."""
    np.testing.assert_equal(got.shape, expected.shape)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol * max(float(np.abs(expected).max()), 1e-30))
