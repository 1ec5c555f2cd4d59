"""A graph in ONNX that grows node by node: every op takes a value that exists and gives one with a known shape.

Shapes come from ONNX's own inference, one node at a time; a node that it refuses, or whose result is too large, is
dropped and another one is drawn. Weights are scaled so that magnitudes stay near one.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
MOST_ELEMENTS = 40_000


class Skip(Exception):
    """This op does not fit this value."""


class Graph:
    """A graph under construction. With `symbolic`, dimension 0 of every value is the batch, and stays that."""

    def __init__(self, random):
        self.random, self.opset = random, int(random.choice([13, 17, 20, 23], p=[.1, .2, .2, .5]))
        self.symbolic = bool(random.random() < .15)
        self.batch = 3 if self.symbolic else self.number(1, 2)
        self.nodes, self.weights, self.inputs = [], {}, {}
        self.values = {}  # floating-point values by name: their shapes
        self.others = {}  # values of other types: (type, shape)
        self.count = 0

    # What ops are made of.

    def pick(self, *choices):
        if not choices:
            raise Skip
        return choices[self.random.integers(len(choices))]

    def number(self, low, high):
        if low > high:
            raise Skip
        return int(self.random.integers(low, high + 1))

    def chance(self, p=.5):
        return bool(self.random.random() < p)

    def name(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def constant(self, array):
        name = self.name("w")
        self.weights[name] = np.asarray(array)
        return name

    def weight(self, shape, scale=1.0, shift=0.0):
        return self.constant((shift + scale * self.random.standard_normal(shape)).astype(np.float32))

    def integers(self, *values):
        return self.constant(np.array(values, np.int64))

    def free_axes(self, rank):
        """The axes that an op may change."""
        return list(range(1 if self.symbolic else 0, rank))

    def axis(self, rank):
        return self.pick(*self.free_axes(rank))

    def node(self, op, inputs, outputs=1, known=True, **attributes):
        """Adds a node and returns the names of its results; `known` says that the first is a floating-point value."""
        if self.chance(.2) and "axis" in attributes and attributes["axis"] > 0 and inputs[0] in self.values:
            attributes["axis"] -= len(self.values[inputs[0]])
        names = [self.name("v") for _ in range(outputs)]
        made = helper.make_node(op, inputs, names, **{k: v for k, v in attributes.items() if v is not None})
        shapes = self.infer(made)
        for name, shape in zip(names, shapes):
            if len(shape) > 5 or np.prod(shape) > MOST_ELEMENTS or min(shape, default=1) < 1:
                raise Skip
            if self.symbolic and (not shape or shape[0] != self.batch):
                raise Skip
        self.nodes.append(made)
        if known:
            self.values.update(zip(names, shapes))
        return names if outputs > 1 else names[0]

    def infer(self, node):
        inputs = [helper.make_tensor_value_info(n, F32, self.values[n]) for n in dict.fromkeys(node.input) if n in self.values]
        inputs += [helper.make_tensor_value_info(n, t, s) for n, (t, s) in self.others.items() if n in node.input]
        weights = [numpy_helper.from_array(self.weights[n], n) for n in dict.fromkeys(node.input) if n in self.weights]
        outputs = [helper.make_tensor_value_info(n, TensorProto.UNDEFINED, None) for n in node.output]
        model = helper.make_model(helper.make_graph([node], "g", inputs, outputs, weights), opset_imports=[helper.make_opsetid("", self.opset)])
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError):
            raise Skip from None
        types = [o.type.tensor_type for o in inferred.graph.output]
        if any(not t.HasField("shape") or any(not d.HasField("dim_value") for d in t.shape.dim) for t in types):
            raise Skip
        return [[d.dim_value for d in t.shape.dim] for t in types]

    def other(self, name, shape, kind):
        """Notes a value that is no floating-point one."""
        self.others[name] = (kind, shape)

    def add_input(self, shape):
        name = self.name("x")
        self.inputs[name] = self.values[name] = list(shape)
        return name

    def model(self, outputs=None):
        read = {n for node in self.nodes for n in node.input}
        made = [n for node in self.nodes for n in node.output if n in self.values]
        outputs = outputs or [n for n in made if n not in read]

        def info(name, shape):
            return helper.make_tensor_value_info(name, F32, ["N", *shape[1:]] if self.symbolic else shape)

        graph = helper.make_graph(self.nodes, "fuzz", [info(n, s) for n, s in self.inputs.items() if n in read],
                                  [info(n, self.values[n]) for n in outputs], [numpy_helper.from_array(a, n) for n, a in self.weights.items() if n in read])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=10)
