#!/usr/bin/env python3
"""Random small graphs, compiled at -O2 and -O0 and compared with ONNX Runtime.

    test/fuzz/differential.py --seed 7 --count 300      graphs 0..299 of seed 7
    test/fuzz/differential.py --replay FILE.onnx        a reproducer that an earlier run wrote

A result may differ from ONNX Runtime's by the bound of the project (rtol 1e-3, atol 1e-4 of the largest magnitude) plus what
ONNX Runtime's own result moves when the inputs do by a few units in the last place. Where it differs by more and ONNX's
reference evaluator agrees with coat, ONNX Runtime is counted as wrong. With --sanitize the code is compiled with
--sanitize=address and run by `coat run`, so that accesses beyond the end of a tensor are crashes. The exit status is 1 after a mismatch, a crash, or
more than 1 % of refusals.
"""
import argparse
import collections
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
sys.path[:0] = [HERE, os.path.join(BUILD, "python")]
import coat  # noqa: E402
from ops import random_graph  # noqa: E402

LEVELS = (["-O2"], ["-O0"])
ASAN = ""  # AddressSanitizer's runtime library, with --sanitize
RTOL, ATOL, COMPILE_SECONDS, RUN_SECONDS = 1e-3, 1e-4, 120, 60


class Finding(Exception):
    """`kind` is mismatch, crash, refused or unknown (to ONNX Runtime); the text says the rest."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def compiled(path, flags, dims):
    """Path of the library."""
    library = f"{path[:-len('.onnx')]}{flags[0]}.so"
    command = [coat.driver(), "compile", path, "-o", library, *flags, *(w for d in dims for w in ("--dim", d))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Finding("crash", f"{flags[0]}: expected to compile in {COMPILE_SECONDS} s") from None
    if done.returncode in (1, 2):
        raise Finding("refused", done.stderr.strip().removeprefix(path.rsplit("/", 1)[0]))
    if done.returncode:
        raise Finding("crash", f"{flags[0]}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return library


def run(library, feeds, results):
    module = coat.load(library)
    outputs = module(**feeds)
    again = coat.load(library, threads=2)(**feeds)
    same = all(a.tobytes() == b.tobytes() for a, b in zip(outputs, again))
    np.savez(results, *outputs, same=np.array(same))


def sanitized_outputs(library, feeds):
    """Runs in `coat run`, with AddressSanitizer's runtime."""
    folder = os.path.dirname(library)
    words = []
    for i, (name, array) in enumerate(feeds.items()):
        np.save(os.path.join(folder, f"{i}.npy"), array)
        words += ["--input", f"{name}={os.path.join(folder, f'{i}.npy')}"]
    results = os.path.join(folder, "results.npz")
    environment = {**os.environ, "LD_PRELOAD": ASAN, "ASAN_OPTIONS": "detect_leaks=0:alloc_dealloc_mismatch=0"}
    done = subprocess.run([coat.driver(), "run", library, "-o", results, *words], env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line or " of size " in line or line.lstrip().startswith("#0")]
        raise Finding("crash", f"running {os.path.basename(library)}: exit {done.returncode}: {' '.join(lines)[:400] or done.stderr[-400:]}")
    with np.load(results) as arrays:
        return [arrays[name] for name in arrays.files]


def outputs_of(library, feeds):
    if ASAN:
        return sanitized_outputs(library, feeds)
    return forked_outputs(library, feeds)


def forked_outputs(library, feeds):
    """Runs in a process of its own: generated code may crash."""
    results = library + ".npz"
    child = multiprocessing.get_context("fork").Process(target=run, args=(library, feeds, results))
    child.start()
    child.join(RUN_SECONDS)
    if child.is_alive():
        child.kill()
        child.join()
    if child.exitcode:
        raise Finding("crash", f"running {os.path.basename(library)}: exit {child.exitcode}")
    with np.load(results) as arrays:
        if not arrays["same"]:
            raise Finding("mismatch", f"{os.path.basename(library)}: expected the same bits with 1 and 2 threads")
        return [arrays[f"arr_{i}"] for i in range(len(arrays.files) - 1)]


class Oracle:
    """What ONNX Runtime says, and how much of it depends on the last bits of the inputs."""

    def __init__(self, model):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level, options.intra_op_num_threads = 4, 1
        self.model = model
        self.session = self.attempt(lambda: onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]))
        self.reference = None

    @staticmethod
    def attempt(action):
        try:
            return action()
        except Exception as error:  # its exceptions have no class of their own in common
            raise Finding("unknown", "ONNX Runtime: " + str(error).split("\n")[0][:160]) from None

    def outputs(self, feeds):
        return self.attempt(lambda: self.session.run(None, feeds))

    def allowed(self, feeds, expected):
        random = np.random.default_rng(0)
        moved = {n: a * (1 + 1e-6 * random.standard_normal(a.shape).astype(a.dtype)) for n, a in feeds.items()}
        return [RTOL * np.abs(want) + ATOL * np.max(np.abs(want), initial=1e-3) + 30 * np.abs(other - want)
                for want, other in zip(expected, self.outputs(moved))]

    def reference_outputs(self, feeds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.reference = self.reference or ReferenceEvaluator(self.model)
            return self.reference.run(None, feeds)


def worst(got, expected, allowed):
    """Name and ratio of the output that is off by most; ratio 0 when every one has its shape and is near."""
    found = (0, 0.0)
    for i, (g, w, a) in enumerate(zip(got, expected, allowed, strict=True)):
        if g.shape != w.shape or g.dtype != w.dtype:
            return i, np.inf
        with np.errstate(all="ignore"):
            error = np.where(g == w, 0, np.abs(g.astype("f8") - w) / a)
        ratio = float(np.max(np.nan_to_num(error, nan=np.inf), initial=0))
        if ratio > max(1.0, found[1]):
            found = i, ratio
    return found


def check(path, inputs, dims, sizes):
    """Compiles the model at `path` and compares it at each batch of `sizes` (None: static). Returns how often ONNX Runtime
    was wrong, none when its results are not finite."""
    model = onnx.load(path)
    oracle = Oracle(model)
    libraries = [compiled(path, flags, dims) for flags in LEVELS]
    wrong = 0
    for size in sizes:
        feeds = {n: np.resize(a, (size, *a.shape[1:])) if size else a for n, a in inputs.items()}
        expected = oracle.outputs(feeds)
        if not all(np.isfinite(w).all() for w in expected):
            return None
        allowed = oracle.allowed(feeds, expected)
        for library, flags in zip(libraries, LEVELS):
            got = outputs_of(library, feeds)
            output, ratio = worst(got, expected, allowed)
            if not ratio:
                continue
            try:
                agrees = not worst(got, oracle.reference_outputs(feeds), allowed)[1]
            except Exception:  # the reference evaluator lacks the op or a mode of it
                agrees = False
            if not agrees:
                raise Finding("mismatch", f"{flags[0]}, batch {size}: output '{model.graph.output[output].name}' is off by "
                                          f"{ratio:.3g} times what is allowed")
            wrong += 1
    return wrong


def smallest(graph, check_model):
    """The model that ends at the first value that is wrong already, and the Finding."""
    for node in graph.nodes:
        for name in node.output:
            if name in graph.values:
                try:
                    check_model(cut(graph, name))
                except Finding as finding:
                    if finding.kind in ("mismatch", "crash"):
                        return cut(graph, name), finding
    return None


def cut(graph, output):
    """The model that computes one value only."""
    needed, nodes = {output}, []
    for node in reversed(graph.nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            nodes.insert(0, node)
    everything, graph.nodes = graph.nodes, nodes
    model = graph.model([output])
    graph.nodes = everything
    return model


def inputs_of(model, seed):
    """Standard normal values; a symbolic batch is 3."""
    random = np.random.default_rng(seed)
    return {v.name: random.standard_normal([d.dim_value or 3 for d in v.type.tensor_type.shape.dim]).astype(np.float32)
            for v in model.graph.input}


def is_symbolic(model):
    return any(d.dim_param for v in model.graph.input for d in v.type.tensor_type.shape.dim)


def check_model(model, folder, seed):
    path = os.path.join(folder, "model.onnx")
    onnx.save(model, path)
    symbolic = is_symbolic(model)
    return check(path, inputs_of(model, seed), ["N=1..4"] if symbolic else [], [3, 1, 4] if symbolic else [None])


class Campaign:
    """Graphs of one seed, what was found in them, and how often."""

    def __init__(self, arguments):
        self.arguments, self.done = arguments, 0
        self.counts, self.reasons = collections.Counter(), collections.Counter()

    def graph(self, index):
        """Checks one graph."""
        graph = random_graph(self.arguments.seed, index)
        with tempfile.TemporaryDirectory(prefix="coat-fuzz-") as folder:
            def attempt(model):
                return check_model(model, folder, index)

            try:
                wrong = attempt(graph.model())
                self.counts["compared" if wrong is not None else "not finite"] += 1
                self.counts["ONNX Runtime wrong"] += bool(wrong)
            except Finding as finding:
                found = graph.model(), finding
                if finding.kind in ("mismatch", "crash"):
                    found = smallest(graph, attempt) or found
                self.report(index, *found)

    def report(self, index, model, finding):
        self.counts[finding.kind] += 1
        self.reasons[str(finding)[-200:]] += 1
        if finding.kind not in ("mismatch", "crash") and not self.arguments.keep_refused:
            return
        os.makedirs(self.arguments.out, exist_ok=True)
        path = os.path.join(self.arguments.out, f"{self.arguments.seed}-{index}.onnx")
        onnx.save(model, path)
        print(f"{finding.kind}: {finding} ({' '.join(n.op_type for n in model.graph.node)}); {path}", flush=True)

    def run(self):
        started = time.time()
        try:
            for index in range(self.arguments.first, self.arguments.first + self.arguments.count):
                self.graph(index)
                self.done += 1
        except KeyboardInterrupt:
            print(f"stopped before graph {self.arguments.first + self.done}")
        for reason, count in self.reasons.most_common():
            print(f"{count:4}  {reason}")
        print(f"{self.done} graphs in {time.time() - started:.0f} s:", ", ".join(f"{n} {k}" for k, n in self.counts.items() if n))
        return bool(self.counts["mismatch"] or self.counts["crash"] or self.counts["refused"] > .01 * self.done)


def replay(path):
    index = int(os.path.basename(path).removesuffix(".onnx").split("-")[-1])
    with tempfile.TemporaryDirectory(prefix="coat-fuzz-") as folder:
        try:
            wrong = check_model(onnx.load(path), folder, index)
        except Finding as finding:
            print(f"{finding.kind}: {finding}")
            return 1
    print("right" if wrong == 0 else "not finite" if wrong is None else "ONNX Runtime is wrong")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first graph")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--out", default=os.path.join(BUILD, "fuzz"), help="folder of reproducers")
    parser.add_argument("--keep-refused", action="store_true", help="write refused models, too")
    parser.add_argument("--replay", metavar="FILE", help="check this reproducer only")
    parser.add_argument("--sanitize", action="store_true", help="find accesses out of bounds, too")
    parser.add_argument("--flag", action="append", default=[], help="a further flag of coat compile")
    arguments = parser.parse_args()
    if arguments.sanitize:
        global ASAN
        ASAN = subprocess.run(["clang-22", "-print-file-name=libclang_rt.asan-x86_64.so"], capture_output=True, text=True, check=True).stdout.strip()
        arguments.flag.append("--sanitize=address")
    for flags in LEVELS:
        flags.extend(arguments.flag)
    return replay(arguments.replay) if arguments.replay else Campaign(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
