#!/usr/bin/env python3
"""Models against ONNX Runtime, OpenVINO, IREE and AOTInductor: interleaved rounds in one process, ratios within each round.

  benchmarks/models.py [name ...] [--threads 1] [--rounds 15] [--out benchmarks/results/models-1]

A ratio above 1 means that coat is faster. A name is one of test/models (`resnet18`, `light_vgg19`); without any, the models of
LIST. What the peers compile is kept in --cache, so the second run only measures; --prepare stops there. Outputs are compared
with the framework's own before anything is timed. Writes <out>.json, <out>.md and <out>.svg.
"""
import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("COAT_BUILD", os.path.join(ROOT, "build"))
sys.path[:0] = [os.path.join(BUILD, "python"), os.path.join(ROOT, "test", "models"), os.path.join(ROOT, "test")]
import numpy as np

from conftest import exported, within_bounds
from machine import machine
from peers import PEERS, Coat, Missing
from report import write
from rounds import compare, interleave, timed

LIST = ["light_vgg19", "resnet18", "se_resnet18", "cbam_resnet18", "unet_attention", "conv_attention", "resnet50", "light_densenet121",
        "efficientnet_b0", "mobilenet_v2", "vit_ti16", "convnext_t", "swin_t", "vit_b16", "bert_base", "googlenet", "light_bvlc_alexnet",
        "light_inception_v1", "light_inception_v2", "light_shufflenet", "light_squeezenet", "light_zfnet512", "text_classifier",
        "cross_attention", "conv3d", "lenet5", "keras_lenet", "keras_conv_attention",
        "mobilenet_v2_batch8", "resnet50_batch8"]


class Model:
    """A model of test/models, exported on first use, with its inputs and the outputs that its own framework computed."""

    def __init__(self, name, folder, exporter):
        self.name = name
        suffix = "" if name.startswith("light_") else ".keras" if name.startswith("keras_") else f".{exporter}"
        prefix = exported(name, folder)
        self.onnx = f"{prefix}{suffix}.onnx"
        data = np.load(prefix + ".npz")
        self.inputs = [data[k] for k in data if not k.startswith("output_")]
        self.expected = [data[k] for k in data if k.startswith("output_")]

    def opset(self):
        import onnx
        return next(o.version for o in onnx.load(self.onnx, load_external_data=False).opset_import if o.domain == "")

    def torch(self):
        """The PyTorch module and example inputs, for the peer that does not read ONNX."""
        from networks import build, networks
        if self.name not in networks:
            import torch
            from onnx_torch import Graph
            return Graph(self.onnx).eval(), tuple(map(torch.from_numpy, self.inputs))
        module, inputs = build(self.name)
        return module, tuple(inputs.values())

    def check(self, outputs):
        for got, want in zip(outputs, self.expected, strict=True):
            within_bounds(got, want)


def digest(*paths):
    together = hashlib.blake2b(digest_size=16)
    for path in paths:
        with open(path, "rb") as file:
            together.update(hashlib.file_digest(file, "blake2b").digest())
    return together.hexdigest()


def prepared(peer, model, cache):
    """The compiled file, from the cache if model, peer and compiler are the same."""
    stem = os.path.join(cache, f"{os.path.basename(model.onnx).removesuffix('.onnx')}-{peer.name}")
    compiler = peer.compiler()
    note, key = stem + ".prepared", f"{'' if compiler else peer.version()} {digest(model.onnx, *compiler)}"
    if os.path.exists(note):
        with open(note) as file:
            kept = json.load(file)
    if not os.path.exists(note) or kept.get("key") != key:
        kept, start = {"key": key}, time.time()
        try:
            kept["path"] = peer.prepare(model, stem)
        except Missing as reason:
            kept["missing"] = str(reason)
        except Exception as error:  # a peer may fail in any way; the others are measured all the same
            kept["missing"] = f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
        kept["seconds"] = round(time.time() - start, 1)
        with open(note, "w") as file:
            json.dump(kept, file)
    if "missing" in kept:
        raise Missing(kept["missing"])
    return kept["path"]


def contender(peer, model, threads, cache):
    """A callable that runs the model, checked."""
    path = prepared(peer, model, cache)
    try:
        run = peer(model, path, threads)
        model.check(run(*model.inputs))
    except AssertionError as error:
        raise Missing("wrong numbers: " + " ".join(str(error).split())[:160]) from error
    except Missing:
        raise
    except Exception as error:
        raise Missing(f"{type(error).__name__}: {' '.join(str(error).split())[:160]}") from error
    return timed(lambda: run(*model.inputs))


def measure(model, peers, args):
    contenders, left_out = {}, {}
    for peer in (Coat, *peers):
        try:
            contenders[peer.name] = contender(peer, model, args.threads, args.cache)
        except Missing as reason:
            left_out[peer.name] = str(reason)
    result = {"model": os.path.basename(model.onnx), "threads": args.threads, "left_out": left_out}
    if "coat" in contenders:
        result |= compare(interleave(contenders, args.rounds))
    return result


def show(result):
    if "fastest" not in result:
        return f"{result['model']:30} not measured: {result['left_out']}"
    best = result["ratios"][result["fastest"]]
    cells = [f"{name} {result['ratios'][name]['median']:.2f}" for name in result["ratios"]]
    return (f"{result['model']:30} coat {result['ms']['coat']:9.3f} ms   {best['median']:5.2f} x {result['fastest']} "
            f"({best['quartiles'][0]:.2f}..{best['quartiles'][1]:.2f})   [{', '.join(cells)}]")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--exporter", choices=["dynamo", "legacy"], default="dynamo", help="of the PyTorch models")
    parser.add_argument("--peers", default=",".join(p.name for p in PEERS), help="comma-separated, of %(default)s")
    parser.add_argument("--models", default=os.path.join(BUILD, "models"), help="folder of exported models")
    parser.add_argument("--cache", default=os.path.join(BUILD, "bench"), help="folder for what the peers compile")
    parser.add_argument("--prepare", action="store_true", help="export and compile only")
    parser.add_argument("--out", help="path without suffix of the results: .json, .md and .svg")
    args = parser.parse_args()
    os.makedirs(args.cache, exist_ok=True)
    wanted, peers = args.peers.split(","), []
    for peer in PEERS:
        if peer.name in wanted:
            try:
                peer.version()
                peers.append(peer)
            except Missing as reason:
                print(f"{peer.name}: left out: {reason}", file=sys.stderr)
    results = []
    for name in args.names or LIST:
        model = Model(name, args.models, args.exporter)
        if args.prepare:
            for peer in (Coat, *peers):
                try:
                    prepared(peer, model, args.cache)
                except Missing as reason:
                    print(f"{name}: {peer.name}: {reason}", flush=True)
            continue
        results.append(measure(model, peers, args))
        print(show(results[-1]), flush=True)
        gc.collect()
    if args.out and results:
        versions = {p.name: p.version() for p in (Coat, *peers)}
        record = {"machine": machine(), "versions": versions, "threads": args.threads, "rounds": args.rounds, "results": results}
        write(record, args.out, "models")


if __name__ == "__main__":
    main()
