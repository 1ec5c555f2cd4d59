#!/usr/bin/env python3
"""Seeds and dictionaries of the fuzz targets: fuzz/corpus.py FOLDER writes FOLDER/<target>/* and FOLDER/<target>.dict."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "test" / "fuzz"), str(ROOT / "test" / "Hostile")]


def models():
    """Small ones of all kinds: random graphs, and what the tests hold for hostile."""
    from hostile_models import MODELS
    from ops import random_graph

    for seed in range(120):
        content = random_graph(1, seed).model().SerializeToString()
        if len(content) < 8000:
            yield content
    for name, (content, _) in MODELS.items():
        if len(content) < 4000 and "that double" not in name:  # these take seconds until they are refused
            yield content
    # Every op has a node to mutate, whether or not its inputs fit.
    for schema in onnx.defs.get_all_schemas():
        if schema.domain == "" and not schema.deprecated:
            inputs = [f"x{i}" for i in range(max(1, schema.min_input))]
            node = helper.make_node(schema.name, inputs, ["y"])
            for name, attribute in list(schema.attributes.items())[:6]:
                if attribute.type == onnx.defs.OpSchema.AttrType.INTS:
                    node.attribute.append(helper.make_attribute(name, [1, 1]))
                elif attribute.type == onnx.defs.OpSchema.AttrType.INT:
                    node.attribute.append(helper.make_attribute(name, 1))
            weights = [numpy_helper.from_array(np.ones((2, 2, 2, 2), np.float32), n) for n in inputs[1:]]
            graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x0", 1, [1, 2, 4, 4])], [helper.make_empty_tensor_value_info("y")], weights)
            yield helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=8).SerializeToString()


def programs():
    """(model.json, weights, constants) of archives of torch.export, without what is only of use to its authors; and archives."""
    import io
    import json
    import zipfile

    import torch
    from torch import nn
    from torch.nn import functional as F

    class Net(nn.Module):
        def __init__(self, forward, *parts):
            super().__init__()
            self.parts, self.compute = nn.ModuleList(parts), forward

        def forward(self, *inputs):
            return self.compute(self.parts, *inputs)

    image, tokens, batch = torch.randn(2, 3, 8, 8), torch.randn(1, 4, 8), torch.export.Dim("N", min=1, max=8)
    nets = [(lambda p, x: p[1](p[0](x)).relu().mean((2, 3)), (nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)), (image,), True),
            (lambda p, x: p[0](x).flatten(1).softmax(-1), (nn.Conv2d(3, 4, 3, stride=2, groups=1),), (image,), True),
            (lambda p, x: F.gelu(p[1](p[0](x))) + x, (nn.Linear(8, 8), nn.LayerNorm(8)), (tokens,), False),
            (lambda p, x: F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], is_causal=True), (), (tokens,), False),
            (lambda p, x: p[0](x, x, x, need_weights=False)[0], (nn.MultiheadAttention(8, 2, batch_first=True),), (tokens,), False),
            (lambda p, x: torch.cat([F.max_pool2d(x, 2), F.avg_pool2d(x, 2)], 1).permute(0, 2, 3, 1).reshape(x.shape[0], -1), (), (image,), True),
            (lambda p, x: F.interpolate(F.pad(x, (1, 1)), scale_factor=2.0).clamp(0, 6).sum(1, keepdim=True), (), (image,), False),
            (lambda p, i: p[0](i).transpose(1, 2).chunk(2, 1)[1].exp(), (nn.Embedding(5, 4),), (torch.tensor([[1, 2]]),), False)]

    def bare(value):
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if k not in ("metadata", "torch_version", "verifiers", "module_call_graph", "guards_code", "is_hop_single_tensor_return")}
        return [bare(v) for v in value] if isinstance(value, list) else value

    for forward, parts, inputs, symbolic in nets:
        with torch.no_grad():
            program = torch.export.export(Net(forward, *parts).eval(), inputs, dynamic_shapes=(({0: batch},),) if symbolic else None)
        for form in (program, program.run_decompositions()):
            file = io.BytesIO()
            torch.export.save(form, file)
            if len(file.getvalue()) < 16000:
                yield file.getvalue()
            archive = zipfile.ZipFile(file)
            texts = {}
            for key, end in (("model", "models/model.json"), ("weights", "weights_config.json"), ("constants", "constants_config.json")):
                name, = (n for n in archive.namelist() if n.endswith(end))
                texts[key] = bare(json.loads(archive.read(name)))
            text = json.dumps(texts, separators=(",", ":")).encode()
            if len(text) < 16000:
                yield text


def calls():
    """Names of ATen ops and of their arguments, and words of the schema."""
    import re

    for path in (ROOT / "lib" / "Import").glob("Aten*.cpp"):
        yield from re.findall(r'"([A-Za-z_]\w+)"', path.read_text())
    yield from re.findall(r'"([a-z_]\w+)"', (ROOT / "lib" / "Import" / "TorchReader.cpp").read_text())


def words():
    for schema in onnx.defs.get_all_schemas():
        yield schema.name
        yield from schema.attributes
    yield from ("ai.onnx", "com.microsoft", "location", "offset", "length", "SAME_UPPER", "VALID", "linear", "reflect", "N")


def arrays():
    import io

    for array in (np.zeros((2, 3), np.float32), np.arange(5), np.float64(1), np.zeros((0, 3), np.int8), np.ones(3, ">f4"), np.asfortranarray(np.ones((2, 2)))):
        file = io.BytesIO()
        np.save(file, array)
        yield file.getvalue()
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, a=np.zeros((2, 3), np.float32), b=np.arange(3))
        yield file.getvalue()


def attributes():
    schedules = ['"direct", tile = [1, 4, 0, 32], reg = [1, 1, 4, 16], vector = 8', '"rows", tile = [0], reg = [4], order = [1, 0], vector = 4', '"loops", tile = [], vector = 1']
    for text in schedules:
        yield b"\0" + text.encode()
        yield b"\3" + f"# coat tuning\nx86-64-v3 | coat.conv (tensor<1xf32>) -> tensor<1xf32> | #coat.schedule<{text}>\n".encode()
    for text in ("layout<channels_last>", "elementwise_kind<add>", "pad_mode<reflect>", f"schedule<{schedules[0]}>"):
        yield b"\1" + text.encode()
    for text in ("224", "N", "(N - 1) floordiv 2 + 1", "batch size * 2 + s0", "N + 1 mod 3"):
        yield b"\2" + text.encode()


def write(folder, name, seeds, tokens=()):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds):
        (folder / name / f"seed-{index}").write_bytes(seed)
    (folder / f"{name}.dict").write_text("".join(f'"{token}"\n' for token in sorted(set(tokens))))


def main(folder):
    random = np.random.default_rng(0)
    write(folder, "onnx", models(), words())
    write(folder, "torch", programs(), calls())
    write(folder, "external-data", (random.bytes(n) for n in range(20, 200, 10)), ("sub", "secret", "..", "model2"))
    write(folder, "arguments", (random.bytes(n) for n in range(20, 200, 10)), ("N",))
    write(folder, "attributes", attributes(), ("tile", "reg", "order", "vector", "direct", "schedule", "floordiv", "ceildiv", "mod", " | "))
    write(folder, "arrays", arrays(), ("descr", "fortran_order", "shape", "<f4", "|b1", "False", "True"))


main(pathlib.Path(sys.argv[1]))
