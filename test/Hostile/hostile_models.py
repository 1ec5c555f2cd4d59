"""Models that are wrong, or meant to harm: each is a name, the ONNX bytes and what coat has to say.

What is said is a part of the one line on stderr, or RIGHT: the model is valid and has to be compiled. Where the text is
empty any one line will do: the model is malformed, but what is noticed first is nobody's business.
"""
import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

F, I = TensorProto.FLOAT, TensorProto.INT64
RIGHT = object()
LEAST, MOST = -2 ** 63, 2 ** 63 - 1
MODELS = {}


def info(name, shape, kind=F):
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name, *shape):
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def integers(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(nodes, inputs=None, outputs=("y",), weights=(), opset=17, functions=(), imports=()):
    inputs = {"x": [1, 4, 8, 8]} if inputs is None else inputs
    values = [v if not isinstance(v, list) else info(k, v) for k, v in inputs.items()]
    graph = helper.make_graph(nodes, "g", values, [helper.make_empty_tensor_value_info(o) for o in outputs], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), *imports], functions=functions, ir_version=8)


def add(name, says, made):
    MODELS[name] = made if isinstance(made, bytes) else made.SerializeToString(), says


def one(name, says, op, inputs=("x",), outputs=("y",), shape=(1, 4, 8, 8), weights=(), opset=17, **attributes):
    """A model of one node."""
    node = helper.make_node(op, list(inputs), list(outputs), **attributes)
    add(name, says, model([node], {"x": list(shape)}, outputs, weights, opset))


# ---- Windows: ranks, strides, groups, sizes. ----

W = weight("w", 8, 4, 3, 3)
XW = ("x", "w")
one("conv of a matrix", "", "Conv", XW, shape=[4, 8], weights=[W])
one("conv of another rank", "", "Conv", XW, weights=[weight("w", 8, 4, 3)])
one("conv without a filter", "", "Conv")
one("conv of an empty filter", "", "Conv", XW, weights=[weight("w", 8, 4, 0, 3)])
one("conv with a bias of another size", "", "Conv", ("x", "w", "b"), weights=[W, weight("b", 7)])
one("kernel_shape of another filter", "", "Conv", XW, weights=[W], kernel_shape=[5, 5])
for name, strides in {"zero": [0, 0], "negative": [-1, -1], "one": [1], "least": [LEAST, LEAST]}.items():
    one(f"conv strides {name}", "", "Conv", XW, weights=[W], strides=strides)
    one(f"pool strides {name}", "", "MaxPool", kernel_shape=[2, 2], strides=strides)
    one(f"conv_transpose strides {name}", "", "ConvTranspose", XW, weights=[weight("w", 4, 8, 3, 3)], strides=strides)
for name, group in {"that does not divide": 3, "zero": 0, "negative": -1, "least": LEAST, "most": MOST}.items():
    one(f"group {name}", "", "Conv", XW, weights=[W], group=group)
    one(f"transposed group {name}", "", "ConvTranspose", XW, weights=[weight("w", 4, 8, 3, 3)], group=group)
one("group of the input only", "", "Conv", XW, weights=[weight("w", 3, 1, 3, 3)], group=4)
for name, size in {"huge": 2 ** 40, "most": MOST, "least": LEAST, "negative": -3}.items():
    one(f"conv pads {name}", "", "Conv", XW, weights=[W], pads=[size] * 4)
    one(f"conv dilations {name}", "", "Conv", XW, weights=[W], dilations=[size] * 2)
    one(f"pool kernel {name}", "", "AveragePool", kernel_shape=[size] * 2)
    one(f"pool pads {name}", "", "AveragePool", kernel_shape=[2, 2], pads=[size] * 4, ceil_mode=1)
    one(f"pad by {name}", "", "Pad", ("x", "p"), weights=[integers("p", *[size] * 8)])
    one(f"output_padding {name}", "", "ConvTranspose", XW, weights=[weight("w", 4, 8, 3, 3)], output_padding=[size] * 2)
    one(f"output_shape {name}", "", "ConvTranspose", XW, weights=[weight("w", 4, 8, 3, 3)], output_shape=[size] * 2)
one("conv_transpose strides huge", "", "ConvTranspose", XW, weights=[weight("w", 4, 8, 3, 3)], strides=[2 ** 40] * 2)
one("pool kernel zero", "", "MaxPool", kernel_shape=[0, 0])
one("pool without a kernel", "", "MaxPool")
one("pool of nothing", "", "MaxPool", shape=[1, 4, 0, 8], kernel_shape=[2, 2])
one("lp pool of order zero", "", "LpPool", kernel_shape=[2, 2], p=0)
one("an empty batch", "", "Conv", XW, shape=[0, 4, 8, 8], weights=[W])

# Nothing is wrong with these but their sizes: code and time must not grow with them.
BIG = dict(shape=[1, 2, 80, 80])
one("a huge window", RIGHT, "Conv", XW, weights=[weight("w", 2, 2, 71, 71)], **BIG)
one("a huge window of each channel", RIGHT, "Conv", XW, weights=[weight("w", 2, 1, 71, 71)], group=2, **BIG)
one("a huge window of a pool", RIGHT, "MaxPool", kernel_shape=[71, 71], **BIG)
one("a huge window of an average", RIGHT, "AveragePool", kernel_shape=[71, 71], pads=[70] * 4, ceil_mode=1, **BIG)
one("huge strides", RIGHT, "Conv", XW, weights=[W], strides=[1000, 1000])
one("large transposed strides", RIGHT, "ConvTranspose", XW, weights=[weight("w", 4, 2, 32, 32)], strides=[32, 32])
one("huge transposed strides", "", "ConvTranspose", XW, weights=[weight("w", 4, 2, 3, 3)], strides=[1000, 1000])
one("transposed strides that are never taken", "", "ConvTranspose", XW, weights=[weight("w", 4, 2, 3, 3)], strides=[2 ** 40] * 2, shape=[1, 4, 1, 1])
one("a thousand groups", RIGHT, "Conv", XW, weights=[weight("w", 2000, 2, 3, 3)], group=1000, shape=[1, 2000, 4, 4])
one("eight dimensions", RIGHT, "Transpose", shape=[2, 3, 1, 2, 3, 2, 1, 2], perm=[7, 0, 5, 2, 6, 1, 3, 4])
one("a head of a thousand channels", RIGHT, "Attention", ("x", "x", "x"), shape=[1, 2, 6, 1000], opset=23)
one("a thousand heads", RIGHT, "Attention", ("x", "x", "x"), shape=[1, 1000, 6, 4], opset=23)
one("a long row", RIGHT, "Softmax", shape=[2, 1_000_003])
one("a thin product", RIGHT, "MatMul", XW, shape=[100_000, 1], weights=[weight("w", 1, 3)])
one("a huge neighbourhood", RIGHT, "LRN", size=10 ** 6 + 1)

# ---- Sequences. ----


def sequence(name, says, *nodes, weights=(), shape=(1, 4, 8, 8)):
    """Nodes on sequences, each (op, inputs, output)."""
    add(name, says, model([helper.make_node(op, inputs, [output], **attributes) for op, inputs, output, attributes in nodes], {"x": list(shape)}, weights=weights))


sequence("a sequence of itself", "", ("SequenceConstruct", ["y"], "y", {}))
sequence("a sequence that is a tensor", "got a tensor", ("SequenceAt", ["x", "p"], "y", {}), weights=[integers("p", 0)])
sequence("a sequence in a sequence", "got a sequence", ("SequenceConstruct", ["x"], "s", {}), ("SequenceConstruct", ["s"], "t", {}), ("SequenceLength", ["t"], "y", {}))
sequence("a sequence that is multiplied", "got a sequence", ("SequenceConstruct", ["x"], "s", {}), ("Mul", ["s", "s"], "y", {}))
sequence("the shape of a sequence", "got a sequence", ("SequenceConstruct", ["x"], "s", {}), ("Shape", ["s"], "y", {}))
sequence("an empty sequence that is joined", "empty", ("SequenceEmpty", [], "s", {}), ("ConcatFromSequence", ["s"], "y", {"axis": 0}))
for name, at in {"LEAST": LEAST, "MOST": MOST, "behind the end": 2}.items():
    sequence(f"insertion at {name}", "position", ("SequenceConstruct", ["x"], "s", {}), ("SequenceInsert", ["s", "x", "p"], "t", {}), ("SequenceLength", ["t"], "y", {}),
             weights=[integers("p", at)])
    sequence(f"an element at {name}", "position", ("SequenceConstruct", ["x"], "s", {}), ("SequenceAt", ["s", "p"], "y", {}), weights=[integers("p", at)])
for name, parts in {"of nothing": (0,), "of MOST": (MOST, MOST), "of less": (3,), "negative": (-4, 8)}.items():
    sequence(f"parts {name}", "", ("SplitToSequence", ["x", "p"], "s", {"axis": 1}), ("SequenceLength", ["s"], "y", {}), weights=[integers("p", *parts)])
sequence("an axis of parts of LEAST", "axis", ("SplitToSequence", ["x"], "s", {"axis": LEAST}), ("SequenceLength", ["s"], "y", {}))
sequence("2^31 parts", "1024", ("SplitToSequence", ["x"], "s", {}), ("SequenceLength", ["s"], "y", {}), shape=(2 ** 31,))
sequence("a sequence that grows for ever", "1024", ("SequenceConstruct", ["x"], "s0", {}),
         *(("SequenceInsert", [f"s{i}", "x"], f"s{i + 1}", {}) for i in range(2000)), ("SequenceLength", ["s2000"], "y", {}))

# ---- Attention and norms. ----

Q = ("x", "x", "x")
for name, heads in {"zero": (0, 0), "negative": (-2, -2), "that do not divide": (5, 5), "that do not share": (4, 3), "least": (LEAST, LEAST),
                    "most": (MOST, MOST), "of keys zero": (4, 0)}.items():
    one(f"heads {name}", "", "Attention", Q, shape=[1, 6, 16], opset=23, q_num_heads=heads[0], kv_num_heads=heads[1])
one("attention of a matrix", "", "Attention", Q, shape=[6, 16], opset=23)
one("attention without heads", "", "Attention", Q, shape=[1, 6, 16], opset=23)
one("attention of no channels", "", "Attention", Q, shape=[1, 2, 6, 0], opset=23)
one("attention with a wrong mask", "", "Attention", (*Q, "m"), shape=[1, 2, 6, 8], weights=[weight("m", 5, 5)], opset=23)
one("batch norm of a matrix of scales", "", "BatchNormalization", ("x", "w", "w", "w", "w"), weights=[weight("w", 4, 1)])
one("layer norm beyond the rank", "", "LayerNormalization", XW, weights=[weight("w", 8)], axis=9)
one("layer norm axis least", "", "LayerNormalization", XW, weights=[weight("w", 8)], axis=LEAST)
one("groups that do not divide", "", "GroupNormalization", ("x", "w", "w"), weights=[weight("w", 4)], num_groups=3, opset=21)
one("groups zero", "", "GroupNormalization", ("x", "w", "w"), weights=[weight("w", 4)], num_groups=0, opset=21)
one("lrn of size zero", "", "LRN", size=0)
one("softmax axis most", "", "Softmax", axis=MOST)

# ---- Products, shapes and movement. ----

one("matmul of a scalar", "", "MatMul", ("x", "x"), shape=[])
one("gemm of a volume", "", "Gemm", ("x", "x"), shape=[2, 2, 2])
one("matmul of sizes that differ", "", "MatMul", XW, shape=[3, 4], weights=[weight("w", 5, 2)])
for name, shape in {"huge": [2 ** 40, 2 ** 40], "negative": [-5, 8], "two holes": [-1, -1], "least": [LEAST], "most": [MOST, MOST, 3], "zero hole": [0, -1, 0]}.items():
    one(f"reshape to {name}", "", "Reshape", ("x", "s"), shape=[4, 7], weights=[integers("s", *shape)])
    one(f"expand to {name}", "", "Expand", ("x", "s"), shape=[4, 7], weights=[integers("s", *shape)])
    one(f"constant of {name}", "", "ConstantOfShape", ("s",), weights=[integers("s", *[s or 1 for s in shape])])
for name, counts in {"huge": [2 ** 40, 2 ** 40], "negative": [-1, 1], "one": [2]}.items():
    one(f"tile {name}", "", "Tile", ("x", "s"), shape=[4, 7], weights=[integers("s", *counts)])
one("transpose with a dimension twice", "", "Transpose", perm=[0, 1, 1, 2])
one("transpose beyond the rank", "", "Transpose", perm=[0, 1, 2, MOST])
one("transpose of another rank", "", "Transpose", perm=[1, 0])
one("gather beyond the end", "", "Gather", ("x", "i"), weights=[integers("i", 0, MOST)], axis=1)
one("gather least", "", "Gather", ("x", "i"), weights=[integers("i", LEAST)], axis=1)
one("concat of ranks", "", "Concat", ("x", "w"), weights=[weight("w", 4, 8)], axis=0)
one("split in nothing", "", "Split", ("x", "s"), ("y", "z"), weights=[integers("s", 5, -1)], axis=1)
one("split in too much", "", "Split", ("x", "s"), ("y", "z"), weights=[integers("s", MOST, MOST)], axis=1)
one("split num_outputs huge", "", "Split", ("x",), ("y", "z"), axis=1, num_outputs=2 ** 40, opset=18)
one("slice by zero", "", "Slice", ("x", "s", "s", "s", "z"), weights=[integers("s", 1), integers("z", 0)])
one("slice by least", "", "Slice", ("x", "s", "s", "s", "z"), weights=[integers("s", 1), integers("z", LEAST)])
one("slice from least to most", RIGHT, "Slice", ("x", "s", "e", "a"), weights=[integers("s", LEAST), integers("e", MOST), integers("a", 2)])
one("squeeze of a wide one", "", "Squeeze", ("x", "a"), weights=[integers("a", 1)])
one("unsqueeze beyond the rank", "", "Unsqueeze", ("x", "a"), weights=[integers("a", MOST)])
one("depth that does not divide", "", "DepthToSpace", blocksize=3)
one("depth by zero", "", "DepthToSpace", blocksize=0)
one("space by least", "", "SpaceToDepth", blocksize=LEAST)
one("top of more than there is", "", "TopK", ("x", "k"), ("y", "z"), weights=[integers("k", 10 ** 9)])
one("one-hot of a huge depth", "", "OneHot", ("x", "d", "v"), weights=[integers("d", 2 ** 40), weight("v", 2)])
one("cumulative sum beyond the rank", "", "CumSum", ("x", "a"), weights=[integers("a", MOST)])
for name, factor in {"nan": np.nan, "negative": -1.0, "zero": 0.0, "infinite": np.inf, "huge": 1e30}.items():
    scales = numpy_helper.from_array(np.array([1, 1, factor, factor], np.float32), "s")
    one(f"resize by {name}", "", "Resize", ("x", "", "s"), weights=[scales])
one("resize of no input", "", "Resize", ("", "", "s"), weights=[numpy_helper.from_array(np.ones(4, np.float32), "s")])
one("resize to huge", "", "Resize", ("x", "", "", "s"), weights=[integers("s", 1, 4, MOST, MOST)])
one("resize to huge, keeping the ratio", "2^31 - 1", "Resize", ("x", "", "", "s"), weights=[integers("s", 2 ** 62, 4, 8, 8)],
    keep_aspect_ratio_policy="not_smaller", opset=18)
one("resize to negative", "", "Resize", ("x", "", "", "s"), weights=[integers("s", 1, 4, -8, 8)])
for name, bounds in {"backwards for ever": (0, MOST, -1), "by zero": (0, 5, 0), "of all integers": (LEAST, MOST, 1), "huge": (0, 2 ** 40, 1)}.items():
    add(f"range {name}", "" if name != "backwards for ever" else RIGHT, model(
        [helper.make_node("Range", ["a", "b", "c"], ["y"])],
        weights=[numpy_helper.from_array(np.array(v, np.int64), n) for v, n in zip(bounds, "abc")]))
one("einsum of other ranks", "", "Einsum", ("x", "x"), equation="ij,jk->ik")
one("einsum of nonsense", "", "Einsum", ("x", "x"), equation="i->->,.j")

# ---- Folding of integers. ----

for op, a, b in [("Div", LEAST, -1), ("Div", 1, 0), ("Mod", LEAST, -1), ("Mod", 1, 0), ("Mul", LEAST, -1), ("Add", MOST, 1), ("Sub", LEAST, 1), ("Mul", MOST, MOST)]:
    add(f"{op} of {a} and {b}", RIGHT, model([helper.make_node(op, ["a", "b"], ["c"]), helper.make_node("Add", ["c", "i"], ["y"])],
                                            {"i": info("i", [1], I)}, weights=[integers("a", a), integers("b", b)]))
    add(f"shape from {op} of {a} and {b}", "", model([helper.make_node(op, ["a", "b"], ["c"]), helper.make_node("Expand", ["x", "c"], ["y"])], {"x": [1]},
                                                  weights=[integers("a", a), integers("b", b)]))
for op in ("Neg", "Abs"):
    add(f"{op} of least", RIGHT, model([helper.make_node(op, ["a"], ["c"]), helper.make_node("Add", ["c", "i"], ["y"])], {"i": info("i", [1], I)},
                                       weights=[integers("a", LEAST)]))

# ---- The graph. ----

RELU = helper.make_node("Relu", ["x"], ["y"])
add("a cycle of one", "without cycles", model([helper.make_node("Add", ["x", "y"], ["y"])]))
add("a cycle of three", "without cycles", model([helper.make_node("Add", ["x", "c"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
                                                 helper.make_node("Relu", ["b"], ["c"]), helper.make_node("Relu", ["c"], ["y"])]))
add("a tensor that is missing", "defined", model([helper.make_node("Add", ["x", "ghost"], ["y"])]))
add("an output that is missing", "", model([RELU], outputs=("z",)))
add("an output twice", "", model([RELU], outputs=("y", "y")))
add("no output", "", model([RELU], outputs=()))
add("no graph", "", ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 17)]))
add("no opset", "", ModelProto(ir_version=8, graph=model([RELU]).graph))
add("opset least", "", model([RELU], opset=LEAST))
add("opset most", "", model([RELU], opset=MOST))
add("two opsets", "", model([RELU], imports=[helper.make_opsetid("", 13)]))
add("no op", "", model([helper.make_node("", ["x"], ["y"])]))
add("no output of a node", "", model([helper.make_node("Relu", ["x"], [])]))
add("thousands of outputs", "", model([helper.make_node("Split", ["x"], [f"y{i}" for i in range(5000)], axis=1)], outputs=["y0"]))
for name, shape in {"huge": [2 ** 62, 2 ** 62], "large": [2 ** 20, 2 ** 20, 2 ** 20], "negative": [-5, 4]}.items():
    add(f"an input of {name} dimensions", "", model([RELU], {"x": shape}))
add("an input of a thousand dimensions", "", model([RELU], {"x": [1] * 1000}))
add("an input of an unknown type", "", model([RELU], {"x": info("x", [2], 999)}))
add("an input that is no tensor", "", model([RELU], {"x": helper.make_tensor_sequence_value_info("x", F, [2])}))


def initializer(**fields):
    tensor = TensorProto(**{"name": "w", "data_type": F, "dims": [2], "raw_data": b"\0" * 8, **fields})
    return model([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [1, 2]}, weights=[tensor])


add("weights of negative dimensions", "", initializer(dims=[-2]))
add("weights of huge dimensions", "", initializer(dims=[2 ** 62, 2 ** 62]))
add("weights that are short", "expected 8 bytes of data, got 7", initializer(raw_data=b"\0" * 7))
add("weights that are long", "expected 8 bytes of data, got 9", initializer(raw_data=b"\0" * 9))
add("weights of an unknown type", "", initializer(data_type=999))
add("weights of no type", "", initializer(data_type=0))
add("weights without data", "", model([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [1, 2]}, weights=[TensorProto(name="w", data_type=F, dims=[2])]))
add("weights as strings", "", initializer(data_type=TensorProto.STRING, string_data=[b"a", b"b"]))
add("weights in a segment", "", initializer(segment=TensorProto.Segment(begin=0, end=2 ** 40)))
add("weights of no elements", RIGHT, model([helper.make_node("Concat", ["x", "w"], ["y"], axis=0)], {"x": [2]}, weights=[weight("w", 0)]))
sparse = helper.make_sparse_tensor(helper.make_tensor("w", F, [1], [3.0]), helper.make_tensor("i", I, [1], [1]), [2])
add("a sparse initializer", "sparse", model([helper.make_node("Add", ["x", "w"], ["y"])], {"x": [1, 2]}))
stored = ModelProto.FromString(MODELS["a sparse initializer"][0])
stored.graph.sparse_initializer.append(sparse)
add("a sparse initializer", "sparse", stored)
add("a sparse constant", "", model([helper.make_node("Constant", [], ["c"], sparse_value=sparse), helper.make_node("Add", ["x", "c"], ["y"])], {"x": [2]}))
add("a constant of strings", "", model([helper.make_node("Constant", [], ["y"], value_strings=["a"])]))

gradient = lambda y, out: helper.make_node("Gradient", ["x"], [out], domain="ai.onnx.preview.training", xs=["x"], y=y)
add("a derivative of order 60", "expected Gradients of at most", model([helper.make_node("Tanh", ["x"], ["d0"]), *(gradient(f"d{i}", f"d{i + 1}") for i in range(60))],
                                                                       {"x": [4]}, outputs=["d60"], imports=[helper.make_opsetid("ai.onnx.preview.training", 1)]))
add("a derivative of itself", "without cycles", model([gradient("y", "y")], {"x": [4]}, imports=[helper.make_opsetid("ai.onnx.preview.training", 1)]))

ODD = {"a line break": "a\nb", "a NUL": "a\0b", "quotes": "a\"b'c\\", "a comment": "*/ x /*", "printf": "%s%n%p", "nothing but blanks": "   ", "a keyword": "int",
       "umlauts": "äöü", "many": "n" * 100_000, "a path": "../../../etc/passwd", "escapes": "\x1b[2J\x07"}
for name, odd in ODD.items():
    add(f"names with {name}", RIGHT, model([helper.make_node("Relu", [odd], [odd + "y"], name=odd), helper.make_node("Add", [odd + "y", odd + "w"], [odd + "z"])],
                                           {odd: [2]}, [odd + "z"], [weight(odd + "w", 2)]))
    add(f"an op named {name}", "expected an operator" if name != "many" else "", model([helper.make_node(odd, ["x"], ["y"], name=odd)]))
# protobuf's Python refuses other bytes than UTF-8.
for name in ("names", "an op"):
    made = MODELS[f"{name} {'with' if name == 'names' else 'named'} umlauts"]
    add(f"{name} that {'are' if name == 'names' else 'is'} no UTF-8", made[1], made[0].replace("äöü".encode(), b"\xff\xfe\xc0\x80\xed\xa0"))
add("inputs whose names clash", RIGHT, model([helper.make_node("Add", ["a b", "a_b"], ["a-b"])], {"a b": [2], "a_b": [2]}, ["a-b"]))
for name, odd in {"a number": "224", "an expression": "N + 1", "a symbol of MLIR": "s0", "floordiv": "N floordiv 2", "quotes": "a\"b", "a line break": "a\nb"}.items():
    add(f"a dimension named {name}", RIGHT, model([helper.make_node("Concat", ["x", "x"], ["y"], axis=0)], {"x": [odd, 2]}))


# ---- Sizes and depths. ----


def call(op, *names, **attributes):
    return helper.make_node(op, *names, domain="f", **attributes)


def functions(bodies):
    """A model that calls the last of functions f0, f1 ..; each body is a list of nodes from a to b."""
    made = [helper.make_function("f", f"f{i}", ["a"], ["b"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]) for i, nodes in enumerate(bodies)]
    return model([call(f"f{len(made) - 1}", ["x"], ["y"])], {"x": [2]}, functions=made, imports=[helper.make_opsetid("f", 1)])


leaf = [helper.make_node("Relu", ["a"], ["b"])]
add("thousands of chained functions", "", functions([leaf] + [[call(f"f{i}", ["a"], ["b"])] for i in range(4000)]))
add("functions that double", "", functions([leaf] + [[call(f"f{i}", ["a"], ["c"]), call(f"f{i}", ["c"], ["b"])] for i in range(60)]))
add("empty functions that double", "", functions([[]] + [[call(f"f{i}", ["a"], ["c"]), call(f"f{i}", ["a"], ["b"])] for i in range(60)]))
add("a function that calls itself", "recursion", functions([[call("f0", ["a"], ["b"])]]))
add("a function with an output that is an input", RIGHT, model(
    [call("f", ["x"], ["y"])], {"x": [2]}, imports=[helper.make_opsetid("f", 1)],
    functions=[helper.make_function("f", "f", ["a"], ["a"], [], [helper.make_opsetid("", 17)])]))


def nested(depth):
    """If in If in If."""
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "b", [], [helper.make_empty_tensor_value_info("r")])
    for level in range(depth):
        node = helper.make_node("If", ["c"], [f"o{level}"], then_branch=graph, else_branch=graph if level == 0 else None)
        graph = helper.make_graph([node], "b", [], [helper.make_empty_tensor_value_info(f"o{level}")])
    return model([*graph.node], {"x": [2]}, [f"o{depth - 1}"], [numpy_helper.from_array(np.array(True), "c")])


add("conditions in conditions", "", nested(30))
add("two branches", RIGHT, nested(1))


def chain(length, op="Relu"):
    nodes = [helper.make_node(op, [f"v{i}"] if i else ["x"], [f"v{i + 1}"]) for i in range(length)]
    return model(nodes, {"x": [2]}, [f"v{length}"])


add("a chain of 20,000 nodes", RIGHT, chain(20_000))
add("a chain of 20,000 sines", RIGHT, chain(20_000, "Sin"))
wide = [helper.make_node("Relu", ["x"], [f"v{i}"]) for i in range(2000)]
add("a thousand inputs of one node", RIGHT, model(wide + [helper.make_node("Concat", [f"v{i}" for i in range(2000)], ["y"], axis=0)], {"x": [2]}))
# Reading it took a quadratic time once.
add("a node with a megabyte of attributes", "", model([helper.make_node("Relu", ["x"], ["y"], **{f"a{i}": i for i in range(20_000)})]))
add("a chain of symbolic sums", "", model(
    [helper.make_node("Concat", [f"v{i}" if i else "x"] * 2, [f"v{i + 1}"], axis=0) for i in range(62)], {"x": ["N", 2]}, ["v62"]))

# ---- Bytes. ----

add("nothing", "empty", b"")
add("zeros", "", b"\0" * 100)
add("ones", "", b"\xff" * 100)
add("a text", "", b"hello, world\n" * 10)
add("a varint without end", "", b"\x3a" + b"\xff" * 20)
add("a length of 2^63", "", b"\x3a" + b"\xff" * 8 + b"\x7f" + b"\0" * 10)
add("graphs in graphs", "", b"\x3a\x7f" * 4000)


def wrapped(depth):
    """Nodes in graphs in attributes in nodes, deeper than any stack."""
    inner = b""
    for level in range(depth):
        size, length = b"", len(inner)
        while length > 127:
            size += bytes([length & 127 | 128])
            length >>= 7
        inner = [b"\x32", b"\x2a", b"\x0a"][level % 3] + size + bytes([length]) + inner
    return b"\x3a" + size + bytes([length]) + inner


add("graphs in attributes in nodes", "", wrapped(30_000))
