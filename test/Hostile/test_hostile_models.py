"""Every model of hostile_models.py, and models with bytes cut off or flipped: refused in one line, or compiled."""
import json
import os
import random

import numpy as np
import onnx
import pytest

import coat
from hostile_driver import driver  # noqa: F401, a fixture
from hostile_models import MODELS, RIGHT

LONG = bool(os.environ.get("COAT_TEST_LONG"))
FIRST = [name for name in MODELS if LONG or "20,000" not in name]


@pytest.mark.parametrize("name", FIRST)
def test_model(driver, name):
    content, says = MODELS[name]
    path = driver.folder / "model.onnx"
    path.write_bytes(content)
    dims = ("--dim", "N=1..4") if name == "a chain of symbolic sums" else ()
    if name.startswith("a dimension named"):
        model = onnx.load_from_string(content)
        dims = ("--dim", model.graph.input[0].type.tensor_type.shape.dim[0].dim_param + "=1..4")
    status, line = driver.compile("model.onnx", *dims, seconds=600 if "20,000" in name else 60)
    if says is RIGHT:
        assert status == 0, line
    elif status or says:
        assert status and line.startswith("model.onnx: ") and says in line, line


@pytest.mark.parametrize("name", ["names that are no UTF-8", "an op that is no UTF-8", "an op named a NUL", "an op named quotes"])
def test_json(driver, name):
    (driver.folder / "model.onnx").write_bytes(MODELS[name][0])
    status, line = driver.compile("model.onnx", "--diagnostics=json")
    if status:
        assert json.loads(line)["exit"] == status
    else:
        json.loads((driver.out / "net.json").read_bytes())


def victim():
    """A small model with most kinds of fields in it."""
    return coat_model().SerializeToString()


def coat_model():
    from onnx import TensorProto, helper, numpy_helper

    weights = [numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w"), numpy_helper.from_array(np.array([0, -1], np.int64), "s"),
               helper.make_tensor("t", TensorProto.FLOAT, [4], [1, 2, 3, 4])]
    nodes = [helper.make_node("Conv", ["x", "w", "t"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
             helper.make_node("f", ["c"], ["r"], domain="f", slope=.5), helper.make_node("Reshape", ["r", "s"], ["q"]),
             helper.make_node("Softmax", ["q"], ["y"], axis=-1)]
    body = helper.make_node("LeakyRelu", ["a"], ["b"])
    body.attribute.add(name="alpha", ref_attr_name="slope", type=1)
    function = helper.make_function("f", "f", ["a"], ["b"], [body], [helper.make_opsetid("", 17)], ["slope"])
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("f", 1)], functions=[function], ir_version=8)


def test_victim(driver):
    (driver.folder / "model.onnx").write_bytes(victim())
    assert driver.compile("model.onnx") == (0, "")


@pytest.mark.parametrize("cut", range(0, len(victim()), 3 if LONG else 41))
def test_truncated(driver, cut):
    (driver.folder / "model.onnx").write_bytes(victim()[:cut])
    status, line = driver.compile("model.onnx")
    assert status in (1, 2) and line.startswith("model.onnx: expected "), line


@pytest.mark.parametrize("seed", range(2000 if LONG else 30))
def test_flipped(driver, seed):
    """Whatever the bytes are, `coat check` and `coat compile` agree on them."""
    chosen, content = random.Random(seed), bytearray(victim())
    for _ in range(chosen.choice([1, 1, 2, 5])):
        content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
    (driver.folder / "model.onnx").write_bytes(content)
    checked, line = driver.run("check", "model.onnx")
    compiled, said = driver.compile("model.onnx")
    assert not checked or compiled, f"check: {line}; compile: {said}"
