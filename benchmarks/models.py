"""Models against ONNX Runtime: interleaved rounds in one process, the ratio of times in each round, medians.

  benchmarks/models.py model.onnx ... [--threads 1] [--rounds 15] [--json out.json]

A ratio above 1 means that coat is faster. Inputs are random with a fixed seed; outputs are compared before timing.
"""
import argparse
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build", "python"))
import numpy as np
import onnxruntime

import coat


def inputs_of(session):
    rng = np.random.default_rng(0)
    kinds = {"tensor(float)": lambda s: rng.standard_normal(s).astype(np.float32),
             "tensor(int64)": lambda s: rng.integers(0, 100, s)}
    return {v.name: kinds[v.type]([d if isinstance(d, int) else 1 for d in v.shape]) for v in session.get_inputs()}


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(path, threads, rounds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(path, options)
    module = coat.compile(path, threads=threads)
    inputs = inputs_of(session)
    for ours, theirs in zip(module(**inputs), session.run(None, inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())
    pairs = [(seconds(lambda: module(**inputs)), seconds(lambda: session.run(None, inputs))) for _ in range(rounds)]
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    return {"model": os.path.basename(path), "threads": threads, "coat_ms": 1e3 * min(p[0] for p in pairs),
            "onnxruntime_ms": 1e3 * min(p[1] for p in pairs), "ratio": statistics.median(ratios),
            "spread": [ratios[0], ratios[-1]], "rounds": rounds, "onnxruntime": onnxruntime.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json")
    args = parser.parse_args()
    results = [measure(path, args.threads, args.rounds) for path in args.models]
    for r in results:
        print(f"{r['model']:32} coat {r['coat_ms']:8.2f} ms  onnxruntime {r['onnxruntime_ms']:8.2f} ms  "
              f"ratio {r['ratio']:.2f} ({r['spread'][0]:.2f} .. {r['spread'][1]:.2f})")
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
