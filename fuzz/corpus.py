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
    for content, _ in MODELS.values():
        if len(content) < 4000:
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
    write(folder, "external-data", (random.bytes(n) for n in range(20, 200, 10)), ("sub", "secret", "..", "model2"))
    write(folder, "arguments", (random.bytes(n) for n in range(20, 200, 10)), ("N",))
    write(folder, "attributes", attributes(), ("tile", "reg", "order", "vector", "direct", "schedule", "floordiv", "ceildiv", "mod", " | "))
    write(folder, "arrays", arrays(), ("descr", "fortran_order", "shape", "<f4", "|b1", "False", "True"))


main(pathlib.Path(sys.argv[1]))
