"""A compiled CUDA model without a GPU: the library, its kernels for the emulator, and the mock driver between them."""
import json
import os
import subprocess

import numpy as np

import ptxas_cache  # noqa: F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
COAT = os.path.join(BUILD, "bin", "coat")
MOCK = os.path.join(BUILD, "mock")
NO_PTXAS = os.path.join(ROOT, "test", "Gpu", "no_ptxas")


def call(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


class DeviceModel:
    """`source` compiled for `archs` in `folder`, as `name`; `flags` are further flags of `coat compile`. Without `assemble`, what
    lies in the library as cubins is PTX: the emulator's numbers do not depend on what ptxas makes."""

    def __init__(self, source, folder, name="net", archs=("sm_80", "sm_90a"), flags=(), emulate=True, assemble=True):
        self.folder, self.name = os.fspath(folder), name
        self.library = os.path.join(self.folder, f"lib{name}.so")
        self.flags = [source, f"--name={name}", "--device=cuda", f"--gpu-arch={','.join(archs)}", *flags]
        call(COAT, "compile", *self.flags, "-o", self.library,
             env=os.environ if assemble else {**os.environ, "PATH": f"{NO_PTXAS}{os.pathsep}{os.environ['PATH']}"})
        self.emulated = os.path.join(self.folder, f"{name}.emulated.so") if emulate else ""
        if emulate:
            kernels = os.path.join(self.folder, f"{name}.mlirbc")
            call(COAT, "compile", *self.flags, "--stop-after=memory", "-o", kernels)
            call(os.path.join(BUILD, "bin", "coat-emulate"), kernels, "-o", self.emulated)
        with open(os.path.join(self.folder, f"{name}.json")) as file:
            self.json = json.load(file)

    def environment(self, capability="9.0", seed=1):
        """For a process that finds the mock; its account of calls is self.account() afterwards."""
        self.trace = os.path.join(self.folder, f"{self.name}.trace.json")
        if os.path.exists(self.trace):
            os.remove(self.trace)
        return {**os.environ, "LD_LIBRARY_PATH": MOCK, "COAT_MOCK": "1", "COAT_EMULATED": self.emulated,
                "COAT_MOCK_CAPABILITY": capability, "COAT_MOCK_SEED": str(seed), "COAT_MOCK_TRACE": self.trace}

    def account(self):
        with open(self.trace) as file:
            return json.load(file)

    def run(self, inputs=None, capability="9.0", seed=1):
        """Outputs by name; None: random inputs, the same as any other library of the model gets from `coat run`."""
        return run(self.library, inputs, self.environment(capability, seed))


def run(library, inputs=None, environment=None):
    """`coat run` on a library: the outputs by name."""
    folder = os.path.dirname(library)
    out = os.path.join(folder, "out.npz")
    flags = []
    if inputs is not None:
        flags = ["--input", os.path.join(folder, "in.npz")]
        np.savez(flags[1], **inputs)
    if os.path.exists(out):
        os.remove(out)
    call(COAT, "run", library, *flags, "-o", out, env=environment)
    results = np.load(out, allow_pickle=False)
    return dict(results) if hasattr(results, "files") else {"": results}


def reference(source, folder, inputs=None, flags=()):
    """What the same model computes at -O0 on the CPU."""
    library = os.path.join(os.fspath(folder), "libreference.so")
    call(COAT, "compile", source, "--name=reference", "-O0", *flags, "-o", library)
    return run(library, inputs)
