"""Compiles one kernel a function, for f32 and f64, scalar and vector, and compares with NumPy in extended precision.

  elementary.py FOLDER [march]
"""
import ctypes
import math
import subprocess
import sys

import numpy as np

COUNT = 2048
UNARY = ["exp", "exp fastmath<afn>", "exp2", "expm1", "log", "log1p", "log2", "tanh", "erf", "sin", "cos", "round", "tan",
         "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"]
BINARY = {"powf": "math.powf", "remf": "arith.remf"}
# Largest relative errors; f64 references of erf, sin and cos are themselves rounded.
BOUND = {np.float32: 3e-7, np.float64: 1e-13}


def module(dtype, lanes):
    memref = f"memref<{COUNT}x{dtype}>"
    attrs = f'coat.dims = ["{COUNT}"]'
    functions = UNARY + list(BINARY)
    outs = "".join(f', %y{i}: {memref} {{coat.name = "y{i}", coat.result, {attrs}}}' for i in range(len(functions)))
    text = f'func.func @net(%x: {memref} {{coat.name = "x", {attrs}}}, %z: {memref} {{coat.name = "z", {attrs}}}{outs})'
    text += " attributes {coat.entry, coat.symbols = []} {\n"
    for i in range(len(functions)):
        text += f"  coat.launch @k{i}(%x, %z) outs(%y{i}) : ({memref}, {memref}, {memref}) -> ()\n"
    text += "  return\n}\n"
    element = f"vector<{lanes}x{dtype}>" if lanes > 1 else dtype
    dialect, tail = ("vector", f", {element}") if lanes > 1 else ("memref", "")
    for i, name in enumerate(functions):
        function, _, flags = name.partition(" ")
        op = f"{BINARY[name]} %a, %b" if name in BINARY else f"math.{function} %a {flags}"
        text += f"""func.func private @k{i}(%x: {memref}, %z: {memref}, %y: {memref}) attributes {{coat.kernel}} {{
  scf.forall (%i) = (0) to ({COUNT}) step ({lanes}) {{
    %a = {dialect}.load %x[%i] : {memref}{tail}
    %b = {dialect}.load %z[%i] : {memref}{tail}
    %r = {op} : {element}
    {dialect}.store %r, %y[%i] : {memref}{tail}
  }}
  return
}}
"""
    return text


def reference(name, x, z):
    wide, exponent = x.astype(np.longdouble), z.astype(np.longdouble)
    if name == "round":
        return np.copysign(np.floor(abs(wide) + np.longdouble(0.5)), wide)
    if name == "erf":
        return np.array([math.erf(v) for v in x.astype(np.float64)])
    if name == "powf":
        return np.power(wide, exponent)
    if name == "remf":
        return np.fmod(wide, exponent)
    name = name.split()[0]
    return getattr(np, "arc" + name[1:] if name[0] == "a" else name)(wide)


def inputs(dtype):
    r = np.random.default_rng(0)
    x = [r.uniform(-5, 5, 512), r.uniform(-100, 100, 512), r.uniform(-1e-3, 1e-3, 256), np.exp(r.uniform(-90, 88, 512)), r.uniform(0.5, 2, 256)]
    x, z = np.concatenate(x).astype(dtype), np.concatenate([r.uniform(-4, 4, 1024), r.integers(-4, 5, 1024)]).astype(dtype)
    special = [0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 1e-40, np.finfo(dtype).max, np.finfo(dtype).tiny, 88.72, -103.9, 709.7, 0.5, 2.5, -2.5]
    pairs = [(a, b) for a in special for b in (0, 1, -1, 2, 3, 0.5, np.inf, -np.inf, np.nan)]
    x[:len(pairs)], z[:len(pairs)] = zip(*pairs)
    return x, z


def check(folder, march, dtype, numpy_type, lanes):
    source, library = f"{folder}/{dtype}_{lanes}.mlir", f"{folder}/{dtype}_{lanes}.so"
    with open(source, "w") as file:
        file.write(module(dtype, lanes))
    subprocess.run(["coat", "compile", source, "--start-at=lower", "--name", "net", f"-march={march}", "-o", library], check=True)
    x, z = inputs(numpy_type)
    outputs = [np.zeros(COUNT, numpy_type) for _ in range(len(UNARY) + len(BINARY))]
    tensors = (ctypes.c_void_p * (2 + len(outputs)))(*[a.ctypes.data for a in [x, z] + outputs])
    assert ctypes.CDLL(library).net_run_flat(tensors, None, None) == 0
    for name, got in zip(UNARY + list(BINARY), outputs):
        expected = reference(name, x, z)
        rounded = expected.astype(numpy_type)
        use = np.ones(COUNT, bool)
        if name in ("sin", "cos", "tan"):  # where the reduction of the argument is promised
            use = ~(np.abs(x) > 1e6)
        if name == "remf":  # beyond, the quotient loses bits
            use = ~(np.abs(x / z) > 2.0**(28 if march != "x86-64-v2" or dtype == "f32" else 0))
        bound = BOUND[numpy_type]
        if name == "exp fastmath<afn>" and dtype == "f32":  # for x that does not overflow; zero instead of denormals
            use, bound = ~(x > 88), 2e-7 + 1.5e-8 * np.abs(x)
            if march == "x86-64-v2":  # without fused multiply-adds
                bound = bound + 1e-7 * np.abs(x)
            rounded = np.where(x < -87.3, got if np.all(np.abs(got[x < -87.3]) <= 1.3e-38) else np.nan, rounded)
            expected = rounded.astype(np.longdouble)
        finite = np.isfinite(rounded)
        same = np.where(finite, np.isfinite(got), (np.isnan(rounded) & np.isnan(got)) | (rounded == got))
        scale = np.maximum(np.abs(expected), np.finfo(numpy_type).tiny)
        error = np.where(finite & same, np.abs(got - expected) / scale, 0)
        bad = use & (~same | (error > bound))
        for i in np.flatnonzero(bad)[:3]:
            print(f"{name} of {dtype}, {lanes} lanes: x = {x[i]!r}, y = {z[i]!r}: expected {rounded[i]!r}, got {got[i]!r}")


if __name__ == "__main__":
    np.seterr(all="ignore")
    march = sys.argv[2] if len(sys.argv) > 2 else "x86-64-v3"
    for dtype, numpy_type in (("f32", np.float32), ("f64", np.float64)):
        for lanes in (1, 8):
            check(sys.argv[1], march, dtype, numpy_type, lanes)
    print("all checked")
