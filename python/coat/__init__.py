"""coat from Python: compile a model, load a compiled one, run it.

    module = coat.compile("net.onnx", opt_level=2)
    logits, = module(image)                 # arrays in order ..
    logits, = module(image=image)           # .. or by name; numpy or anything with DLPack

Elements of bfloat16, which numpy does not have, are those of ml_dtypes; without that package results are their bits as
uint16.

There is no compiler logic here: `compile` runs the `coat` driver, `load` opens the library it wrote.
"""
import os
import shutil
import subprocess
import tempfile

from . import _runtime

__all__ = ["Module", "compile", "load", "CompileError"]


class CompileError(RuntimeError):
    """The driver refused the model. `code` is its exit code: 1 model, flag or file; 2 not supported; 70 our bug."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class Module:
    """A compiled model. `path` is the library, `info` its tensors, symbols and kernels."""

    def __init__(self, path, threads=1, folder=None):
        self.path, self._folder = os.path.abspath(path), folder  # the folder lives as long as the module
        self._module = _runtime.Module(self.path, threads)
        self.info = self._module.describe()
        self.inputs = [t["name"] for t in self.info["tensors"] if not t["output"]]
        self._outputs = [t["dtype"] for t in self.info["tensors"] if t["output"] and not t["count"]]

    def __call__(self, *arrays, **named):
        """Runs the model and returns the list of its outputs. Raises ValueError on a wrong shape, dtype or dimension."""
        if unknown := set(named) - set(self.inputs[len(arrays):]):
            raise ValueError(f"expected inputs {self.inputs}, got {sorted(unknown)}")
        if missing := [n for n in self.inputs[len(arrays):] if n not in named]:
            raise ValueError(f"expected inputs {self.inputs}, got none for {missing}")
        inputs = [*arrays, *(named[n] for n in self.inputs[len(arrays):])]
        outputs = self._module.run([_bits(array) for array in inputs])
        return [_typed(array, dtype) for array, dtype in zip(outputs, self._outputs)]

    def save(self, path):
        """Copies the library to `path`."""
        shutil.copyfile(self.path, path)


def _bits(array):
    """numpy does not export ml_dtypes' bfloat16 by DLPack."""
    return array.view("uint16") if str(getattr(array, "dtype", "")) == "bfloat16" else array


def _typed(array, dtype):
    if dtype != "bfloat16":
        return array
    try:
        import ml_dtypes
    except ImportError:
        return array
    return array.view(ml_dtypes.bfloat16)


def driver():
    """The `coat` executable: $COAT, the one beside this package, or the one on PATH."""
    here = os.path.dirname(os.path.abspath(__file__))
    for candidate in (os.environ.get("COAT"), os.path.join(here, "bin", "coat"), os.path.join(here, "..", "..", "bin", "coat")):
        if candidate and os.path.exists(candidate):
            return candidate
    if found := shutil.which("coat"):
        return found
    raise FileNotFoundError("expected the coat driver on PATH or in $COAT, found none")


def compile(model, *, opt_level=2, name=None, dims=None, flags=(), threads=1):
    """Compiles a model and loads the result: the path of an ONNX file, of a saved torch.export program (.pt2) or of MLIR (.mlir:
    coat's own form, TOSA, linalg on tensors); the text of the latter; an onnx.ModelProto; a torch.export.ExportedProgram.

    opt_level: 0 (the reference) to 3, or "s". dims: {"N": (1, 8)} or {"N": 4} for symbolic dimensions; {"N": (1, 32, 8)} is right
    from 1 to 32 and fastest at 8.
    flags: further flags of `coat compile`. Raises CompileError with the driver's one-line message.
    """
    folder = tempfile.TemporaryDirectory(prefix="coat-")
    if hasattr(model, "graph_module"):  # an ExportedProgram: torch is there
        import torch
        path = os.path.join(folder.name, "model.pt2")
        torch.export.save(model, path)
        model = path
    elif isinstance(model, str) and "\n" in model:
        path = os.path.join(folder.name, "model.mlir")
        with open(path, "w") as file:
            file.write(model)
        model = path
    elif not isinstance(model, (str, os.PathLike)):
        path = os.path.join(folder.name, "model.onnx")
        with open(path, "wb") as file:
            file.write(model.SerializeToString())
        model = path
    library = os.path.join(folder.name, "libmodel.so")
    command = [driver(), "compile", os.fspath(model), f"-O{opt_level}", "-o", library, *flags]
    if name:
        command += ["--name", name]
    for key, value in (dims or {}).items():
        low, high, *best = value if isinstance(value, tuple) else (value, value)
        command += ["--dim", f"{key}={low}" + (f"..{high}" if low != high else "") + "".join(f":{size}" for size in best)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(done.stderr.strip(), done.returncode)
    return Module(library, threads, folder)


def load(path, threads=1):
    """Loads a library that coat compiled."""
    return Module(path, threads)
