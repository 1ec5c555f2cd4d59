"""The pictures of the results: the ratio to each peer with its quartiles, and for kernels the share of the FMA peak beside it."""
import sys


def figure(rows, columns):
    try:
        import matplotlib
    except ImportError:
        print("no picture: matplotlib is not installed; pip install -r benchmarks/requirements.txt", file=sys.stderr)
        return None, None
    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "coat", "svg.fonttype": "none"}  # equal results, equal files; text as text
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(1, columns, figsize=(7 * columns, 1.5 + 0.32 * rows), sharey=True, squeeze=False, layout="constrained")
    return figure, axes[0]


def ratios(axis, results, names, peers):
    for i, peer in enumerate(peers):
        points = [(y, r["ratios"][peer]) for y, r in enumerate(results) if peer in r.get("ratios", {})]
        xs = [ratio["median"] for _, ratio in points]
        errors = [[max(0, x - ratio["quartiles"][0]) for x, (_, ratio) in zip(xs, points)],
                  [max(0, ratio["quartiles"][1] - x) for x, (_, ratio) in zip(xs, points)]]
        axis.errorbar(xs, [y for y, _ in points], xerr=errors, fmt="osD^vPX*"[i % 8], markersize=5, capsize=2, label=peer)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_xscale("log", base=2)
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axis.set_yticks(range(len(names)), names)
    axis.margins(y=0.01)
    axis.invert_yaxis()
    axis.grid(alpha=0.3)
    axis.set_xlabel("time of the peer / time of coat, quartiles of the rounds")
    axis.legend(loc="best", fontsize="small")


def title(record):
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return f"{record['machine']['cpu']}, {record['machine']['date']}\n{versions}"


def save(fig, path):
    fig.savefig(path, metadata={"Date": None})


def plot_models(record, path):
    results = [r for r in record["results"] if "ratios" in r]
    fig, axes = figure(len(results), 1)
    if not fig:
        return
    peers = list(dict.fromkeys(name for r in results for name in r["ratios"]))
    ratios(axes[0], results, [r["model"].removesuffix(".onnx") for r in results], peers)
    threads = record["threads"]
    fig.suptitle(f"{threads} thread{'s' if threads > 1 else ''}, {title(record)}", fontsize="small")
    save(fig, path)


def plot_kernels(record, path):
    results = record["results"]
    fig, axes = figure(len(results), 2)
    if not fig:
        return
    peers = list(dict.fromkeys(name for r in results for name in r["ratios"]))
    ratios(axes[0], results, [r["kernel"] for r in results], peers)
    axes[1].barh(range(len(results)), [100 * r["of_peak"] for r in results])
    axes[1].axvline(100, color="black", linewidth=0.8)
    axes[1].set_xlabel(f"nominal operations, % of the measured FMA peak ({record['peak_gflops']:.1f} GFLOP/s)")
    axes[1].grid(alpha=0.3)
    fig.suptitle(f"1 thread, {title(record)}", fontsize="small")
    save(fig, path)
