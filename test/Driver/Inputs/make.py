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
weights = [weight]
if kind == "attention":  # a convolution with batch norm, and attention between its pixels
    weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal((64, 64, 3, 3)).astype(np.float32) / 24, "w")
    weights = [weight] + [numpy_helper.from_array(np.random.default_rng(i).uniform(0.5, 1.5, 64).astype(np.float32), name)
                          for i, name in enumerate(("scale", "bias", "mean", "variance"))]
    weights.append(numpy_helper.from_array(np.array([1, 64, 196]), "flat"))
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="first", pads=[1, 1, 1, 1]),
             helper.make_node("BatchNormalization", ["c", "scale", "bias", "mean", "variance"], ["b"]),
             helper.make_node("Reshape", ["b", "flat"], ["k"]),
             helper.make_node("Transpose", ["k"], ["q"], perm=[0, 2, 1]),
             helper.make_node("MatMul", ["q", "k"], ["scores"]),
             helper.make_node("Softmax", ["scores"], ["p"], axis=-1),
             helper.make_node("MatMul", ["p", "q"], ["y"])]
    shape, result = [1, 64, 14, 14], [1, 196, 64]
graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)], weights)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
