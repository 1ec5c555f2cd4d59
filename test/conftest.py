"""Where the build is, and the exported models, made once into build/models."""
import fcntl
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


def exported(name, folder=MODELS):
    """The path prefix of the exported model in `folder`, made when it is not there or older than its sources."""
    os.makedirs(folder, exist_ok=True)
    done = os.path.join(folder, name + ".done")
    script = os.path.join(ROOT, "test", "models", "export.py")
    newest = max(map(os.path.getmtime, glob.glob(os.path.join(ROOT, "test", "models", "*.py"))))
    with open(os.path.join(folder, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of one model may run on both workers
        if not os.path.exists(done) or os.path.getmtime(done) < newest:
            subprocess.run([sys.executable, script, folder, name], check=True, capture_output=True)
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
