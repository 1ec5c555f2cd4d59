"""GPU kernels on the CPU: coat-emulate compiles them, this runs them on NumPy arrays.

    emulate.py KERNELS.mlir k0_sm_80 --grid 4,1,1 --shared 8192 a.npy b.npy out=64x64xf32
prints nothing, writes out.npy, and fails with the emulator's message."""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile

import numpy as np

BUILD = os.environ.get("COAT_BUILD", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build"))
MAGIC = 0x70616D5F74616F63
# CUtensorMapDataType, and bytes of an element.
TYPES = {"f16": (6, 2), "f32": (7, 4), "bf16": (9, 2), "tf32": (11, 4)}


class Fault(Exception):
    """What the emulator found: a deadlock, an access out of bounds, a missing fence .."""


class _Map(ctypes.Structure):  # coat/Emulate/TensorMap.h
    _fields_ = [("address", ctypes.c_void_p), ("im2col", ctypes.c_int32), ("type", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("swizzle", ctypes.c_int32), ("sizes", ctypes.c_uint64 * 5),
                ("strides", ctypes.c_uint64 * 5), ("box", ctypes.c_uint32 * 5), ("elementStrides", ctypes.c_uint32 * 5),
                ("lower", ctypes.c_int32 * 3), ("upper", ctypes.c_int32 * 3), ("channels", ctypes.c_uint32),
                ("pixels", ctypes.c_uint32)]


class TensorMap:
    """A map of `array`, as coat.maps of a kernel describes it: lists innermost first, sizes in elements."""

    def __init__(self, array, type, box=(), swizzle=128, lower=None, upper=None, channels=0, pixels=0,
                 element_strides=None, sizes=None, strides=None):
        sizes = list(sizes or reversed(array.shape))
        code, size = TYPES[type]
        fields = _Map(address=array.ctypes.data, im2col=lower is not None, type=code, rank=len(sizes), swizzle=swizzle,
                      channels=channels, pixels=pixels)
        fields.sizes[:len(sizes)] = sizes
        fields.strides[0] = size
        for i in range(1, len(sizes)):
            fields.strides[i] = strides[i - 1] if strides else fields.strides[i - 1] * sizes[i - 1]
        fields.box[:len(box)] = list(box)
        fields.elementStrides[:] = list(element_strides or [1] * len(sizes)) + [1] * (5 - len(sizes))
        fields.lower[:len(lower or ())] = list(lower or ())
        fields.upper[:len(upper or ())] = list(upper or ())
        self.array, self.fields = array, fields
        self.words = (ctypes.c_uint64 * 16)(MAGIC, ctypes.addressof(fields))


class Kernels:
    """Compiles MLIR text, or a file, with gpu.modules."""

    def __init__(self, text=None, path=None):
        self.folder = tempfile.TemporaryDirectory()
        library = os.path.join(self.folder.name, "emulated.so")
        if path is None:
            path = os.path.join(self.folder.name, "kernels.mlir")
            with open(path, "w") as file:
                file.write(text)
        done = subprocess.run([os.path.join(BUILD, "bin/coat-emulate"), path, "-o", library], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.library = ctypes.CDLL(library)

    def run(self, kernel, grid, block, arguments, shared=0, seed=0):
        """Runs a kernel; arguments are arrays, TensorMaps and NumPy scalars."""
        slots = []
        for argument in arguments:
            if isinstance(argument, TensorMap):
                slots.append(argument.words)
            elif isinstance(argument, np.ndarray):
                slots.append(ctypes.c_void_p(argument.ctypes.data))
            else:
                slots.append(ctypes.create_string_buffer(argument.tobytes()))
        params = (ctypes.c_void_p * len(slots))(*[ctypes.addressof(slot) for slot in slots])
        error = ctypes.create_string_buffer(2048)
        triple = lambda sizes: (ctypes.c_uint * 3)(*(list(sizes) + [1, 1])[:3])
        symbol = ctypes.c_char.in_dll(self.library, kernel)
        if self.library.coat_emulate(ctypes.byref(symbol), triple(grid), triple(block), ctypes.c_uint(shared), params,
                                     ctypes.c_ulonglong(seed), error, ctypes.c_ulong(len(error))):
            raise Fault(error.value.decode())


def apart(array):
    """A copy with a page of NaN around it: what is read beside the array shows."""
    padding = 4096 // array.itemsize
    whole = np.frombuffer(b"\xff" * (array.nbytes + 8192), array.dtype).copy()
    view = whole[padding:padding + array.size].reshape(array.shape)
    view[...] = array
    return view


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("kernel")
    parser.add_argument("arguments", nargs="*", help="x.npy, or name=2x3xf32: a result")
    parser.add_argument("--grid", default="1,1,1")
    parser.add_argument("--block", default="128,1,1")
    parser.add_argument("--shared", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    arrays, results = [], {}
    for argument in flags.arguments:
        if "=" not in argument:
            arrays.append(np.load(argument))
            continue
        name, _, type = argument.partition("=")
        *shape, element = type.split("x")
        results[name] = np.full([int(size) for size in shape], -1, {"f32": "f4", "f16": "f2", "bf16": "u2", "i64": "i8"}[element])
        if element[0] == "f":
            results[name][...] = np.nan
        arrays.append(results[name])
    sizes = lambda text: [int(size) for size in text.split(",")]
    try:
        Kernels(path=flags.file).run(flags.kernel, sizes(flags.grid), sizes(flags.block), arrays, flags.shared, flags.seed)
    except (Fault, RuntimeError) as problem:
        sys.exit(f"emulate.py: {problem}")
    for name, array in results.items():
        np.save(name + ".npy", array)


if __name__ == "__main__":
    main()
