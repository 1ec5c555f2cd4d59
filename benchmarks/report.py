"""Writes a result: <out>.json with everything, <out>.md as a table to read, <out>.svg as a picture."""
import json

from plot import plot_kernels, plot_models


def best(result):
    ratio = result["ratios"][result["fastest"]]
    return f"{ratio['median']:.2f} ({ratio['quartiles'][0]:.2f} .. {ratio['quartiles'][1]:.2f}) | {result['fastest']}"


def others(result):
    return ", ".join(f"{name} {ratio['median']:.2f}" for name, ratio in result["ratios"].items())


def model_row(result):
    if "fastest" not in result:
        return f"| {result['model']} | | | | {result['left_out']} |"
    return f"| {result['model'].removesuffix('.onnx')} | {result['ms']['coat']:.3f} | {best(result)} | {others(result)} |"


def kernel_row(result):
    rate = f"{result['ms']['coat']:.3f} | {result['gflops']:.1f} | {100 * result['of_peak']:.0f} %"
    return f"| {result['kernel']} | {rate} | {best(result) if 'fastest' in result else ' | '} | {others(result)} |"


def describe(machine):
    kind = "/".join(map(str, machine["family_model_stepping"]))
    caches = " ".join(f"{name} {size}" for name, size in machine["caches"].items())
    return (f"{machine['cpu']} ({kind}), {machine['cores']} cores, {' '.join(machine['isa'])}, {caches}, {machine['memory_gib']} GiB, "
            f"{machine['system']}, {machine['date']}")


def write(record, out, kind):
    """`kind`: models or kernels."""
    with open(out + ".json", "w") as file:
        json.dump(record, file, indent=1)
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [f"# {kind}, {record['threads']} thread{'s' if record['threads'] > 1 else ''}", "",
             f"{describe(record['machine'])}. {versions}. {record['rounds']} rounds.", "",
             "Ratios are the time of the peer divided by the time of coat in the same round: median (quartiles); above 1 coat is faster.", ""]
    head = ["model", "coat ms"] if kind == "models" else ["kernel", "coat ms", "GFLOP/s", "of the FMA peak"]
    head += ["ratio to the fastest peer", "fastest peer", "ratio to each"]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [(model_row if kind == "models" else kernel_row)(r) for r in record["results"]]
    with open(out + ".md", "w") as file:
        file.write("\n".join(lines) + "\n")
    (plot_models if kind == "models" else plot_kernels)(record, out + ".svg")
