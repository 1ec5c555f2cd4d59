#!/usr/bin/env python3
"""Single kernels against oneDNN called directly in its own formats, torch and NumPy, one thread: GFLOP/s, share of the measured FMA
peak, and the ratio of times to each peer, all of them in interleaved rounds.

  benchmarks/kernels.py [part of a name ...] [--rounds 15] [--out benchmarks/results/kernels]

A ratio above 1 means that coat is faster. The shapes are in kernels/shapes.py; coat compiles a one-op ONNX model of each. Results are
checked before anything is timed. Writes <out>.json, <out>.md and <out>.svg.

Why not Google Benchmark: it runs one contender after the other, and a ratio of two such times is as uncertain as the machine is
unsteady. Here the loops that are timed are compiled code as well (kernels/coat.cpp, kernels/onednn.cpp), called through ctypes.
"""
import argparse
import ctypes
import os
import shutil
import statistics
import subprocess
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before any of them is loaded
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
sys.path[:0] = [os.path.join(BUILD, "python"), os.path.join(HERE, "kernels")]
import numpy as np
import onnx

import coat
from cases import MAKERS
from machine import machine
from peers import Coat, Missing, package
from report import write
from rounds import compare, interleave, timed


def build(cache, name, sources, *flags):
    """The loops in compiled code, as a shared library."""
    library = os.path.join(cache, f"lib{name}.so")
    if not os.path.exists(library) or os.path.getmtime(library) < max(map(os.path.getmtime, sources)):
        compiler = next(c for c in ("c++", "clang++-22", "g++") if shutil.which(c))
        subprocess.run([compiler, "-std=c++17", "-O2", "-fPIC", "-shared", *sources, "-o", library, *flags], check=True)
    return ctypes.CDLL(library)


def open_onednn(cache):
    """oneDNN of the environment that runs this, or None."""
    if not os.path.exists(os.path.join(sys.prefix, "include", "dnnl.hpp")):
        print("onednn: left out: not installed; pip install -r benchmarks/requirements.txt", file=sys.stderr)
        return None
    folder = os.path.join(sys.prefix, "lib")
    library = build(cache, "kernels-onednn", [os.path.join(HERE, "kernels", "onednn.cpp")], "-I" + os.path.join(sys.prefix, "include"),
                    "-L" + folder, "-ldnnl", "-Wl,-rpath," + folder)
    library.dnnlVersion.restype = ctypes.c_char_p
    return library


def pointer(value):
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    return ctypes.c_int64(value) if isinstance(value, int) else value


def check(case, who, result):
    scale = float(np.abs(case.output).max())
    np.testing.assert_allclose(result, case.output, rtol=1e-3, atol=1e-4 * scale, err_msg=f"{case.name}: {who}")


def aligned(array):
    """A copy at the start of a cache line, where the activations of a network lie, and those of oneDNN."""
    memory = np.empty(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def coat_contender(loops, case, cache):
    """Times the kernels that compute; `.border` of the function gets the seconds of moving data at the model's borders."""
    model, library = os.path.join(cache, "kernel.onnx"), os.path.join(cache, case.name.translate(str.maketrans("/> ", "___")) + ".so")
    onnx.save(case.model, model)
    subprocess.run([coat.driver(), "compile", model, "-march=native", "--name", "kernel", "-o", library], check=True)
    result = aligned(np.zeros_like(case.output))
    tensors = [*map(aligned, case.inputs), result]
    handle = loops.coatOpen(library.encode(), (ctypes.c_void_p * len(tensors))(*(t.ctypes.data for t in tensors)))
    if not handle:
        raise RuntimeError(f"{case.name}: coat's library does not open")

    def clock(count):
        seconds, everything = (ctypes.c_double * count)(), (ctypes.c_double * count)()
        if error := loops.coatRun(ctypes.c_void_p(handle), count, seconds, everything):
            raise RuntimeError(f"{case.name}: coat's library returns {error}")
        clock.border = statistics.median(everything) - statistics.median(seconds)
        return statistics.median(seconds)

    clock(1)
    check(case, "coat", result)
    clock.tensors = tensors  # the library holds their addresses
    return clock


def onednn_contender(library, case, who, function, arguments):
    make = getattr(library, function)
    make.restype = ctypes.c_void_p
    handle = make(*map(pointer, arguments))
    if not handle:
        return None

    def clock(count):
        seconds = (ctypes.c_double * count)()
        library.dnnlRun(ctypes.c_void_p(handle), count, seconds)
        return statistics.median(seconds)

    clock(1)
    result = np.empty(case.output.size, np.float32)
    library.dnnlResult(ctypes.c_void_p(handle), ctypes.c_void_p(result.ctypes.data))
    check(case, who, case.order(result).reshape(case.output.shape))
    return clock


def contenders_of(case, loops, onednn, cache):
    found = {"coat": coat_contender(loops, case, cache)}
    for who, (function, arguments) in case.onednn.items() if onednn else ():
        if clock := onednn_contender(onednn, case, who, function, arguments):
            found[who] = clock
    for who, prepare in case.torch.items():
        run = prepare()
        result = run()
        result = result.to_dense() if result.is_mkldnn else result
        check(case, who, (result.permute(0, 2, 3, 1) if case.onednn and result.dim() == 4 else result).numpy())
        found[who] = timed(run)
    for who, run in case.numpy.items():
        check(case, who, run())
        found[who] = timed(run)
    # Multiply-adds in registers, as many as the kernel has, at the same moment: what the machine takes from one, a host that serves
    # others too, it takes from both. The best rate of a short burst would be that of a machine which no kernel ran on.
    found["peak"] = lambda count: statistics.median(loops.coatSecondsAtPeak(ctypes.c_double(case.flops)) for _ in range(count))
    return found


def measure(case, loops, onednn, args):
    contenders = contenders_of(case, loops, onednn, args.cache)
    times = interleave(contenders, args.rounds)
    peak = times.pop("peak")
    result = compare(times)
    shares = [peak[r] / times["coat"][r] for r in peak if r in times["coat"]]
    return {"kernel": case.name, "gflops": case.flops / statistics.median(times["coat"].values()) * 1e-9,
            "of_peak": statistics.median(shares), "border_ms": 1e3 * contenders["coat"].border, **result}


def show(result):
    cells = [f"{name} {r['median']:.2f}" for name, r in result["ratios"].items()]
    best = result["ratios"][result["fastest"]] if "fastest" in result else None
    verdict = f"{best['median']:5.2f} x {result['fastest']} ({best['quartiles'][0]:.2f}..{best['quartiles'][1]:.2f})" if best else ""
    return f"{result['kernel']:28} {result['ms']['coat']:9.3f} ms {result['gflops']:7.1f} GFLOP/s {100 * result['of_peak']:4.0f} %  {verdict}   [{', '.join(cells)}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="measure the kernels whose names contain one of these; all without any")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cache", default=os.path.join(BUILD, "bench"), help="folder for what is compiled")
    parser.add_argument("--out", help="path without suffix of the results: .json, .md and .svg")
    args = parser.parse_args()
    os.makedirs(args.cache, exist_ok=True)
    try:
        torch = package("torch")
        torch.set_num_threads(1)
    except Missing as reason:
        sys.exit(f"torch: {reason}")  # it computes the results that the others are checked against
    loops = build(args.cache, "kernels-coat", [os.path.join(HERE, "kernels", "coat.cpp"), os.path.join(ROOT, "tools", "coat", "Peak.cpp")],
                  "-I" + os.path.join(ROOT, "runtime"), "-ldl")
    loops.coatOpen.restype = ctypes.c_void_p
    loops.coatMeasuredPeak.restype = loops.coatSecondsAtPeak.restype = ctypes.c_double
    onednn = open_onednn(args.cache)
    results = []
    with torch.no_grad():
        for name, make in MAKERS.items():
            if not args.names or any(part in name for part in args.names):
                results.append(measure(make(name), loops, onednn, args))
                print(show(results[-1]), flush=True)
    if args.out and results:
        versions = {"coat": Coat.version(), "torch": torch.__version__, "numpy": np.__version__,
                    **({"onednn": onednn.dnnlVersion().decode()} if onednn else {})}
        record = {"machine": machine(), "versions": versions, "threads": 1, "peak_gflops": loops.coatMeasuredPeak(), "rounds": args.rounds,
                  "results": results}
        write(record, args.out, "kernels")


if __name__ == "__main__":
    main()
