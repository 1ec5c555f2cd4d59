"""The check itself; scripts/gpu_check.sh says what it takes. Python's own library only, PyTorch where it is found.

For each library of the manifest: its outputs against the expected ones, the same bits from a captured graph and from host tensors,
and the time of a launch of the graph. For those with a peer: that peer's time in the same rounds."""
import argparse
import array
import json
import math
import os
import shutil
import statistics
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from device import Driver, Failed, Model, Timer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def values(data, dtype):
    """Numbers from bytes; enum coat_dtype."""
    if dtype == 11:  # bf16: the upper half of an f32
        words = array.array("H", data)
        return array.array("f", struct.pack(f"<{len(words)}I", *(word << 16 for word in words)))
    if dtype == 10:
        return struct.unpack(f"<{len(data) // 2}e", data)
    return array.array({1: "B", 2: "b", 3: "h", 4: "i", 5: "q", 6: "B", 7: "H", 8: "I", 9: "Q", 12: "f", 13: "d"}[dtype], data)


def worst(got, expected, rtol, atol):
    """The largest error as a share of what is allowed: rtol of the element plus atol of the largest magnitude."""
    largest = max((abs(v) for v in expected if math.isfinite(v)), default=0.0)
    result = 0.0
    for a, b in zip(got, expected):
        if a == b or (a != a and b != b):
            continue
        allowed = rtol * abs(b) + atol * largest
        result = max(result, abs(a - b) / allowed if math.isfinite(a) and allowed else math.inf)
    return result


class Checker:
    def __init__(self, folder, arguments):
        self.folder, self.arguments, self.driver = folder, arguments, Driver()
        self.machine = self.driver.describe()
        self.capability = self.machine["capability"]

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def check(self, case):
        """One library. Everything that goes wrong becomes the `problem` of the result."""
        result = {"name": case["name"], "kind": case["kind"]}
        if case.get("arch", "").endswith("a") and case["arch"][3:-1] != self.capability.replace(".", ""):
            return {**result, "skipped": f"code for {case['arch']}"}
        try:
            model = Model(self.driver, os.path.join(self.folder, case["library"]))
            inputs = [self.read(name) for name in case["inputs"]]
            model.upload(inputs)
            model.run()
            outputs = model.download()
            self.compare(case, model, outputs, result)
            if not case.get("large"):
                model.upload(inputs)
                graph = model.capture()
                self.driver("cuGraphLaunch", graph, model.stream)
                result["graph"] = model.download() == outputs
                self.driver("cuGraphExecDestroy", graph)
                if case["kind"] == "model":  # the kernels of one instruction may leave a part of their result as it was
                    result["host"] = model.run_host(inputs) == outputs
            if self.arguments.golden and case["kind"] == "conformance":
                self.write_golden(case, outputs)
            if self.arguments.bench and case["kind"] != "conformance":
                self.bench(case, model, result)
            model.close()
            if result.get("error", 0) > 1 or result.get("graph") is False or result.get("host") is False:
                result["problem"] = "wrong result"
        except (Failed, OSError) as error:
            result["problem"] = str(error)
        return result

    def compare(self, case, model, outputs, result):
        if not case.get("expected"):
            return
        error = 0.0
        for i, data, name in zip(model.outputs(), outputs, case["expected"]):
            dtype = model.tensors[i].dtype
            error = max(error, worst(values(data, dtype), values(self.read(name), dtype), case["rtol"], case["atol"]))
        result["error"] = error

    def write_golden(self, case, outputs):
        folder = os.path.join(ROOT, "test", "Gpu", "golden")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, case["name"] + ".bin"), "wb") as file:
            for data in outputs:
                file.write(data)

    def bench(self, case, model, result):
        """Rounds of coat's graph and of the peer, in turn; medians of the times and of the ratios."""
        graph = model.capture()
        timer = Timer(self.driver, model.stream)
        launch = lambda: self.driver("cuGraphLaunch", graph, model.stream)
        timer(launch, 3)
        count = max(1, min(200, int(20 / max(timer(launch, 3), 1e-3))))
        peer = None
        if case.get("peer") and self.arguments.peers:
            from peers import make_peer
            peer = make_peer(case["peer"])
            peer(3)
        rounds = [(timer(launch, count), peer(count) if peer else None) for _ in range(self.arguments.rounds)]
        self.driver("cuGraphExecDestroy", graph)
        result["ms"] = statistics.median(ours for ours, _ in rounds)
        if case.get("flops"):
            result["tflops"] = case["flops"] / result["ms"] * 1e-9
        if peer:
            result["peer"] = peer.name
            result["peer_ms"] = statistics.median(theirs for _, theirs in rounds)
            ratios = sorted(theirs / ours for ours, theirs in rounds)
            result["ratio"] = statistics.median(ratios)
            result["ratio_spread"] = [ratios[0], ratios[-1]]


def sanitize(folder, manifest, arguments):
    """compute-sanitizer over the conformance kernels and the small models, where it is found."""
    tool = shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")
    if not tool or arguments.no_sanitizer:
        return [{"name": "compute-sanitizer", "kind": "sanitizer", "skipped": "not found" if not tool else "not asked for"}]
    names = [case["name"] for case in manifest["cases"] if case["kind"] == "conformance" or case.get("small")]
    results = []
    for check in ("memcheck", "racecheck", "synccheck", "initcheck"):
        command = [tool, f"--tool={check}", "--error-exitcode=99", sys.executable, __file__, folder, "--no-bench",
                   "--no-sanitizer", "--only", ",".join(names), "--out", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True)
        result = {"name": check, "kind": "sanitizer"}
        if done.returncode:
            result["problem"] = (done.stdout + done.stderr)[-2000:]
        results.append(result)
    return results


def show(result):
    parts = [f"{result['name']:32}"]
    if "skipped" in result:
        parts.append("skipped: " + result["skipped"])
    if "problem" in result:
        parts.append("PROBLEM: " + result["problem"].strip().splitlines()[-1])
    if "error" in result:
        parts.append(f"{result['error']:.3f} of what is allowed")
    if "ms" in result:
        parts.append(f"{result['ms']:.4f} ms")
    if "tflops" in result:
        parts.append(f"{result['tflops']:.1f} TFLOP/s")
    if "ratio" in result:
        parts.append(f"{result['ratio']:.2f} x {result['peer']}")
    print("  ".join(parts), flush=True)


def plot(results, path):
    """Bars of the ratios to the peers."""
    try:
        import matplotlib
    except ImportError:
        return print("no plot: matplotlib is not there")
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    rows = [r for r in results if "ratio" in r]
    if not rows:
        return print("no plot: nothing was compared with a peer")
    figure, axes = plt.subplots(figsize=(8, 0.3 * len(rows) + 1))
    axes.barh([f"{r['name']} ({r['peer']})" for r in rows], [r["ratio"] for r in rows])
    axes.axvline(1, color="black")
    axes.set_xlabel("time of the peer / time of coat (above 1: coat is faster)")
    axes.invert_yaxis()
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--only", default="", help="cases whose name holds one of these")
    parser.add_argument("--no-bench", dest="bench", action="store_false")
    parser.add_argument("--no-sanitizer", action="store_true")
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", default="")
    parser.add_argument("--plot", action="store_true")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.folder, "manifest.json")) as file:
        manifest = json.load(file)
    try:
        checker = Checker(arguments.folder, arguments)
    except Failed as error:
        sys.exit(f"gpu_check: {error}")
    try:
        import torch
        arguments.peers = arguments.bench and torch.cuda.is_available()
    except ImportError:
        arguments.peers = False
    machine = checker.machine
    print(json.dumps(machine), "peers: PyTorch" if arguments.peers else "no peers: no PyTorch with CUDA")
    wanted = [part for part in arguments.only.split(",") if part]
    results = []
    for case in manifest["cases"]:
        if case["kind"] == "bench" and not arguments.bench:
            continue
        if wanted and not any(part in case["name"] for part in wanted):
            continue
        results.append(checker.check(case))
        show(results[-1])
    for result in sanitize(arguments.folder, manifest, arguments):
        results.append(result)
        show(result)
    out = arguments.out or os.path.join(arguments.folder, "results.json")
    with open(out, "w") as file:
        json.dump({**machine, "compiler": manifest["compiler"], "results": results}, file, indent=1)
    if arguments.plot:
        plot(results, os.path.splitext(out)[0] + ".svg")
    problems = [r["name"] for r in results if "problem" in r]
    print(f"{len(results) - len(problems)} of {len(results)} right" + (f"; not: {', '.join(problems)}" if problems else ""))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
