"""Archives of torch.export that are wrong or meant to harm: each is a change of one that torch wrote."""
import io
import json
import random
import warnings
import zipfile

import pytest

from hostile_driver import driver  # noqa: F401, a fixture

torch = pytest.importorskip("torch")
LEAST, MOST = -2 ** 63, 2 ** 63 - 1


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.linear = torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.LayerNorm(8), torch.nn.Linear(8, 2)

    def forward(self, x):
        y = self.norm(self.conv(x))
        y = torch.nn.functional.scaled_dot_product_attention(y, y, y)
        return torch.cat(self.linear(y).transpose(1, 2).split([2, 6], 1), 1)[:, 1:].softmax(-1)


class Program:
    """The files of an archive by their name in it; the JSON ones as objects."""

    def __init__(self, files):
        self.files = files
        texts = {"model": "models/model.json", "weights": "data/weights/model_weights_config.json"}
        for name, path in texts.items():
            setattr(self, name, json.loads(files[path]))
        self.texts = texts

    @property
    def graph(self):
        return self.model["graph_module"]["graph"]

    def call(self, op):
        return next(n for n in self.graph["nodes"] if n["target"].startswith(f"torch.ops.aten.{op}."))

    def argument(self, op, name):
        """The dictionary that holds an argument, and its kind."""
        argument = next(a for a in self.call(op)["inputs"] if a["name"] == name)["arg"]
        return argument, next(iter(argument))

    def set(self, op, name, value):
        argument, kind = self.argument(op, name)
        argument[kind] = value

    def weight(self, index=0):
        return self.weights["config"][sorted(self.weights["config"])[index]]

    def meta(self, tensor):
        return self.graph["tensor_values"][tensor]

    def bytes(self, compression=zipfile.ZIP_STORED):
        for name, path in self.texts.items():
            if path in self.files:
                self.files[path] = json.dumps(getattr(self, name)).encode()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", compression) as out:
            for path, content in self.files.items():
                out.writestr("archive/" + path, content)
        return archive.getvalue()


@pytest.fixture(scope="module")
def files():
    archive = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(Net().eval(), (torch.randn(1, 4, 8, 8),)), archive)
    with zipfile.ZipFile(archive) as opened:
        return {name.split("/", 1)[1]: opened.read(name) for name in opened.namelist()}


@pytest.fixture
def program(files):
    return Program(dict(files))


def sizes(*values):
    return [{"as_int": value} for value in values]


def shape(tensor, *values):
    return lambda p: p.meta(tensor).update(sizes=sizes(*values))


def meta(**fields):
    return lambda p: p.weight(0)["tensor_meta"].update(fields)


def drop(path):
    return lambda p: p.files.pop(path)


def cycle(p):
    argument, kind = p.argument("convolution" if any("convolution" in n["target"] for n in p.graph["nodes"]) else "conv2d", "input")
    argument[kind] = {"name": p.graph["nodes"][-1]["outputs"][0]["as_tensor"]["name"]}


def instead(op, input, **arguments):
    """`op` of the convolution's result, in the place of softmax."""
    def change(p):
        given = {input: {"as_tensor": p.call("conv2d")["outputs"][0]["as_tensor"]}} | arguments
        p.call("softmax").update(target=f"torch.ops.aten.{op}", inputs=[{"name": name, "arg": arg, "kind": 1} for name, arg in given.items()])
    return change


def chain(p, length=20000):
    """20,000 activations after the result."""
    last = p.graph["outputs"][0]["as_tensor"]["name"]
    for i in range(length):
        p.graph["nodes"].append({"target": "torch.ops.aten.relu.default", "name": f"r{i}", "metadata": {},
                                 "inputs": [{"name": "self", "arg": {"as_tensor": {"name": last}}, "kind": 1}], "outputs": [{"as_tensor": {"name": f"r{i}"}}]})
        last = f"r{i}"
    for value in (p.graph["outputs"][0], p.model["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]):
        value["as_tensor"]["name"] = last


def bomb(p):
    """Weights that are all the same 16 bytes, again and again."""
    p.weight(0)["tensor_meta"].update(sizes=sizes(1 << 16, 1 << 16), strides=sizes(0, 0))


def shared(p):
    """2,000 weights that are all of one large file."""
    record = p.weight(0)
    p.files["data/weights/" + record["path_name"]] = bytes(8 << 20)
    spec = next(s for s in p.model["graph_module"]["signature"]["input_specs"] if "parameter" in s)
    name = spec["parameter"]["parameter_name"]
    p.weights["config"][name] = record
    for i in range(2000):
        copy = json.loads(json.dumps(spec))
        copy["parameter"]["arg"]["name"] = f"copy{i}"
        p.model["graph_module"]["signature"]["input_specs"].append(copy)


CHANGES = {
    "a newer schema": (lambda p: p.model["schema_version"].update(major=9), "schema version 8"),
    "no schema": (lambda p: p.model.pop("schema_version"), "schema version 8"),
    "a schema of text": (lambda p: p.model.update(schema_version="8"), "schema version 8"),
    "no graph": (lambda p: p.model["graph_module"].pop("graph"), "expected a graph"),
    "a graph that is a list": (lambda p: p.model["graph_module"].update(graph=[]), "expected a graph"),
    "no signature": (lambda p: p.model["graph_module"].pop("signature"), "expected a graph"),
    "an unknown op": (lambda p: p.call("softmax").update(target="torch.ops.aten.no_such_op.default"), "no_such_op"),
    "an op that is no call": (lambda p: p.call("softmax").update(target=7), ""),
    "an op of odd bytes": (lambda p: p.call("softmax").update(target="torch.ops.\0\n\x1b[31m.\u202e"), ""),
    "an input that is not there": (lambda p: p.set("softmax", "self", {"name": "nothing"}), "nothing"),
    "an input without a type": (lambda p: p.graph["tensor_values"].pop("x"), "input 'x'"),
    "an input of an unknown type": (lambda p: p.meta("x").update(dtype=99), ""),
    "an input that is huge": (shape("x", 1, 4, 2 ** 40, 2 ** 40), ""),
    "an input of MOST": (shape("x", 1, 4, MOST, 8), ""),
    "an input of LEAST": (shape("x", 1, 4, LEAST, 8), ""),
    "an empty input": (shape("x", 1, 0, 8, 8), ""),
    "an input of rank 0": (shape("x"), ""),
    "an input of 100 dimensions": (shape("x", *[1] * 100), ""),
    "a symbolic input": (lambda p: p.meta("x").update(sizes=[{"as_expr": {"expr_str": "Symbol('s77', integer=True)"}}, *sizes(4, 8, 8)]), "s77"),
    "a symbol of odd bytes": (lambda p: p.meta("x").update(sizes=[{"as_expr": {"expr_str": "\n';--\0"}}, *sizes(4, 8, 8)]), ""),
    "a cycle": (cycle, ""),
    "a name twice": (lambda p: p.graph["nodes"].append(p.graph["nodes"][0]), ""),
    "a chain of 20,000": (chain, None),
    "dilations of MOST": (lambda p: p.call("conv2d")["inputs"].append({"name": "dilation", "arg": {"as_ints": [MOST, MOST]}, "kind": 1}), ""),
    "a padding of MOST": (lambda p: p.set("conv2d", "padding", [MOST, MOST]), "2^31 - 1"),
    "strides zero": (lambda p: p.set("conv2d", "padding", [LEAST, LEAST]), ""),
    "a split that is negative": (lambda p: p.set("split_with_sizes", "split_sizes", [-2, 10]), ""),
    "a split of MOST": (lambda p: p.set("split_with_sizes", "split_sizes", [MOST, MOST]), ""),
    "fewer sizes than factors": (instead("upsample_nearest2d.vec", "input", output_size={"as_ints": [4]}, scale_factors={"as_floats": [2.0, 2.0]}),
                                 "a size or factor for each dimension"),
    "pads of LEAST": (instead("pad.default", "self", pad={"as_ints": [LEAST, LEAST]}), "2^31 - 1"),
    "an index of LEAST": (instead("select.int", "self", dim={"as_int": 1}, index={"as_int": LEAST}), "2^31 - 1"),
    "axes beyond the rank": (lambda p: p.set("transpose", "dim0", LEAST), ""),
    "a dimension of MOST": (lambda p: p.set("softmax", "dim", MOST), ""),
    "a slice of LEAST": (lambda p: p.set("slice", "start", LEAST), None),
    "a norm of another shape": (lambda p: p.set("layer_norm", "normalized_shape", [MOST, 8]), ""),
    "a norm of no shape": (lambda p: p.set("layer_norm", "normalized_shape", []), ""),
    "a stack of nothing": (lambda p: p.call("cat").update(target="torch.ops.aten.stack.default", inputs=[{"name": "tensors", "arg": {"as_tensors": []}, "kind": 1}]), ""),
    "an argument that is missing": (lambda p: p.call("linear").update(inputs=[]), ""),
    "an argument of another kind": (lambda p: p.call("linear")["inputs"][0].update(arg={"as_ints": [1, 2]}), ""),
    "an argument of no kind": (lambda p: p.call("linear")["inputs"][0].update(arg={"as_graph": {}}), "expected arguments that coat knows"),
    "an argument of two kinds": (lambda p: p.call("linear")["inputs"][0].update(arg={"as_int": 1, "as_bool": True}), "expected arguments that coat knows"),
    "no model": (drop("models/model.json"), "models/model.json"),
    "no table of weights": (drop("data/weights/model_weights_config.json"), "model_weights_config.json"),
    "a weight without its file": (lambda p: p.weight(0).update(path_name="nothing"), "expected its bytes"),
    "a weight outside": (lambda p: p.weight(0).update(path_name="../../../../../../etc/passwd"), "expected its bytes"),
    "a weight at an absolute path": (lambda p: p.weight(0).update(path_name="/etc/passwd"), "expected its bytes"),
    "a weight that is pickled": (lambda p: p.weight(0).update(use_pickle=True), "pickled"),
    "a weight of negative strides": (meta(strides=sizes(-1)), ""),
    "a weight of strides of MOST": (meta(strides=sizes(MOST)), ""),
    "a weight without strides": (meta(strides=[]), ""),
    "a weight beyond its file": (meta(storage_offset={"as_int": 1}), "fewer"),
    "a weight before its file": (meta(storage_offset={"as_int": -1}), "fewer"),
    "a weight at LEAST": (meta(storage_offset={"as_int": LEAST}), "fewer"),
    "a weight of a huge size": (meta(sizes=sizes(2 ** 62)), ""),
    "a weight of nothing, huge times": (meta(sizes=sizes(0, 9, MOST), strides=sizes(1, 1, 1)), ""),
    "a weight of symbolic sizes": (meta(sizes=[{"as_expr": {"expr_str": "s0"}}]), ""),
    "a weight of an unknown type": (meta(dtype=40), "type that coat knows"),
    "weights that are all one element": (bomb, "16 times"),
    "weights that share a file": (shared, "16 times"),
    "an output that is not there": (lambda p: p.model["graph_module"]["signature"]["output_specs"][0]["user_output"]["arg"]["as_tensor"].update(name="no"), "no"),
    "a changed input": (lambda p: p.model["graph_module"]["signature"]["output_specs"].append({"buffer_mutation": {}}), "changes none of its inputs"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(driver, program, name):
    change, says = CHANGES[name]
    change(program)
    (driver.folder / "model.pt2").write_bytes(program.bytes())
    status, line = driver.compile("model.pt2")
    if says is None:
        assert status == 0, line
    else:
        assert status and line.startswith("model.pt2: ") and says in line, line


def test_right(driver, program):
    (driver.folder / "model.pt2").write_bytes(program.bytes())
    assert driver.compile("model.pt2") == (0, "")


def test_compressed(driver, program):
    """A file of 64 MiB of zeros is 64 KiB of an archive: what is stored as it is cannot be larger than the archive."""
    program.files["data/weights/" + program.weight(0)["path_name"]] = bytes(64 << 20)
    (driver.folder / "model.pt2").write_bytes(program.bytes(zipfile.ZIP_DEFLATED))
    status, line = driver.compile("model.pt2")
    assert status and "compressed" in line, line


def test_long_json(driver, program):
    program.files["models/model.json"] = b"[" + b"{}," * (25 << 20) + b"{}]"
    program.texts = {}
    (driver.folder / "model.pt2").write_bytes(program.bytes())
    status, line = driver.compile("model.pt2")
    assert status and "64 MiB" in line, line


@pytest.mark.parametrize("seed", range(40))
def test_damaged(driver, program, seed):
    """Bytes of the archive, or of the JSON in it, that are others; `coat check` and `coat compile` agree on them."""
    chosen = random.Random(seed)
    content = bytearray(program.bytes())
    if seed % 2:
        path = "models/model.json"
        text = bytearray(json.dumps(program.model).encode())
        for _ in range(chosen.choice([1, 1, 2, 5])):
            text[chosen.randrange(len(text))] ^= 1 << chosen.randrange(7)
        program.files[path], program.texts = bytes(text), {}
        content = bytearray(program.bytes())
    else:
        for _ in range(chosen.choice([1, 5, 50])):
            content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    (driver.folder / "model.pt2").write_bytes(content)
    checked, line = driver.run("check", "model.pt2")
    compiled, said = driver.compile("model.pt2")
    assert not checked or compiled, f"check: {line}; compile: {said}"
