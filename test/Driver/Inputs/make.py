"""Writes one small ONNX model: make.py <kind> <path>."""
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

kind, path = sys.argv[1:]
weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32) / 5, "w")
nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="first", pads=[1, 1, 1, 1]),
         helper.make_node("Relu", ["c"], ["y"], name="second")]
if kind == "unknown":
    nodes[1] = helper.make_node("Nonsense", ["c"], ["y"], name="second")
shape, result = [1, 3, 6, 6], [1, 4, 6, 6]
if kind == "symbolic":
    shape[0] = result[0] = "N"
if kind == "odd":
    nodes[0] = helper.make_node("Conv", ["x", "w"], ["c"], name="first", pads=[1, 1, 1, 1], strides=[2, 2])
    shape, result = ["batch size", 3, "H", "W/2"], ["batch size", 4, None, None]
graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)], [weight])
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
