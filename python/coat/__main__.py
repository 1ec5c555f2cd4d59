"""`python -m coat verify model.onnx`: the part of `coat verify --ref=ort` that needs ONNX Runtime."""
import argparse
import sys

import numpy as np

from . import CompileError, compile


def inputs(session, sizes, seed):
    """Seeded values for each input of an ONNX Runtime session: normal floats, integers 0..7."""
    random = np.random.default_rng(seed)
    types = {"float": "f4", "double": "f8", "float16": "f2", "int64": "i8", "int32": "i4", "int16": "i2", "int8": "i1",
             "uint8": "u1", "bool": "?"}
    result = {}
    for value in session.get_inputs():
        shape = [d if isinstance(d, int) else sizes[d] for d in value.shape]
        dtype = np.dtype(types[value.type[len("tensor("):-1]])
        data = random.standard_normal(shape) if dtype.kind == "f" else random.integers(0, 2 if dtype.kind == "b" else 8, shape)
        result[value.name] = data.astype(dtype)
    return result


def verify(arguments):
    import onnxruntime

    ranges = {name: [int(n) for n in bounds.split("..")] for name, bounds in (d.split("=") for d in arguments.dim)}
    flags = [word for shape in arguments.shape for word in ("--shape", shape)]
    try:
        modules = [compile(arguments.model, opt_level=arguments.level, threads=threads, flags=flags,
                           dims={name: (r[0], r[-1]) for name, r in ranges.items()}) for threads in (1, 2)]
    except CompileError as error:
        print(error, file=sys.stderr)
        return error.code
    session = onnxruntime.InferenceSession(arguments.model, providers=["CPUExecutionProvider"])
    worst = 0.0
    for end in (0, -1) if ranges else (0,):
        feeds = inputs(session, {name: r[end] for name, r in ranges.items()}, arguments.seed)
        expected = session.run(None, feeds)
        one, two = ([np.asarray(y) for y in module(**feeds)] for module in modules)
        for output, want, got, again in zip(session.get_outputs(), expected, one, two):
            if got.tobytes() != again.tobytes():
                print(f"output '{output.name}': expected the same bits with 1 and 2 threads", file=sys.stderr)
                return 70
            scale = float(np.max(np.abs(want), initial=0))
            allowed = 1e-3 * np.abs(want) + 1e-4 * scale + 1e-30
            ratio = float(np.max(np.abs(got.astype("f8") - want) / allowed, initial=0))
            worst = max(worst, ratio)
            if not ratio <= 1:
                print(f"output '{output.name}': expected ONNX Runtime's values, got {ratio:.1f} times what is allowed", file=sys.stderr)
                return 70
    print(f"{arguments.model}: equal to ONNX Runtime, at most {worst:.3f} of what is allowed, the same bits with 1 and 2 threads")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="python -m coat")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("verify", help="compare a compiled model with ONNX Runtime")
    verb.add_argument("model")
    verb.add_argument("--level", type=int, default=2)
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--dim", action="append", default=[])
    verb.add_argument("--shape", action="append", default=[])
    return verify(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
