"""Random graphs, and the ops they are made of: each takes the graph, a value and its shape, and adds nodes or raises Skip."""
import numpy as np

from graph import BOOL, Graph, Skip

UNARY = ["Relu", "Sigmoid", "Tanh", "Erf", "Elu", "LeakyRelu", "Selu", "Celu", "HardSwish", "HardSigmoid", "Softplus", "Softsign",
         "Abs", "Neg", "Sin", "Cos", "Floor", "Ceil", "Round", "Sign", "ThresholdedRelu", "Identity"]
GLOBAL_POOLS = ["GlobalAveragePool", "GlobalMaxPool"]
REDUCTIONS = ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]


def window(g, spatial, most=4):
    """Kernel, strides, dilations and pads of a sliding window that fits."""
    k = len(spatial)
    kernel = [g.number(1, min(most, s)) for s in spatial]
    dilations = [g.pick(1, 1, 1, 2) for _ in range(k)]
    attributes = dict(kernel_shape=kernel, strides=[g.pick(1, 1, 2, 3) for _ in range(k)], dilations=dilations)
    dilations[:] = [d if d * (n - 1) < s else 1 for d, n, s in zip(dilations, kernel, spatial)]
    how = g.random.random()
    if how < .2:
        attributes["auto_pad"] = g.pick("SAME_UPPER", "SAME_LOWER", "VALID")
        if attributes["auto_pad"] != "VALID":
            attributes["dilations"] = [1] * k  # ONNX Runtime and ONNX disagree on the others
            # For strides beyond the kernel ONNX Runtime makes negative pads, which its MaxPool refuses and LpPool crops by.
            attributes["strides"] = [min(s, n) for s, n in zip(attributes["strides"], kernel)]
    elif how < .8:
        attributes["pads"] = [g.number(0, kernel[i % k] - 1) for i in range(2 * k)]
    return attributes


def conv(g, x, shape):
    if len(shape) not in (3, 4, 5):
        raise Skip
    channels = shape[1]
    group = g.pick(1, 1, channels, *(d for d in range(1, channels + 1) if channels % d == 0))
    most = max(1, 24 // group)
    filters = group * g.number(1, most)
    attributes = window(g, shape[2:], 5)
    inputs = [x, g.weight([filters, channels // group, *attributes["kernel_shape"]], (channels / group * np.prod(attributes["kernel_shape"])) ** -.5)]
    if g.chance():
        inputs.append(g.weight([filters], .3))
    g.node("Conv", inputs, group=group, **attributes)


def conv_transpose(g, x, shape):
    if len(shape) not in (3, 4, 5):
        raise Skip
    channels, k = shape[1], len(shape) - 2
    group = g.pick(1, 1, channels, *(d for d in range(1, channels + 1) if channels % d == 0))
    filters = g.number(1, max(1, 16 // group))
    kernel, strides = [g.number(1, 4) for _ in range(k)], [g.pick(1, 2, 2, 3) for _ in range(k)]
    attributes = dict(kernel_shape=kernel, strides=strides, dilations=[g.pick(1, 1, 2) for _ in range(k)], group=group)
    if g.chance(.7):
        attributes["pads"] = [g.number(0, kernel[i % k] - 1) for i in range(2 * k)]
    if g.chance(.3):
        attributes["output_padding"] = [g.number(0, s - 1) for s in strides]
    inputs = [x, g.weight([channels, filters, *kernel], (channels / group * np.prod(kernel)) ** -.5)]
    if g.chance():
        inputs.append(g.weight([group * filters], .3))
    g.node("ConvTranspose", inputs, **attributes)


def pool(g, x, shape):
    if len(shape) not in (3, 4, 5):
        raise Skip
    op = g.pick("MaxPool", "AveragePool", "AveragePool", "LpPool", *GLOBAL_POOLS)
    if op in GLOBAL_POOLS:
        return g.node(op, [x])
    attributes = window(g, shape[2:])
    if op == "LpPool" and g.opset < 18 or op == "AveragePool" and g.opset < 19:
        del attributes["dilations"]
    if op == "AveragePool":
        attributes["count_include_pad"] = g.number(0, 1)
    if op == "LpPool":
        attributes["p"] = g.number(1, 3)
    elif g.chance(.3) and "auto_pad" not in attributes:
        # A window that would begin behind the input is none; ONNX's inference of shapes counts it in some opsets.
        ends = attributes.get("pads", [0] * 2 * (len(shape) - 2))[len(shape) - 2:]
        reach = [(k - 1) * d + 1 - e for k, d, e in zip(attributes["kernel_shape"], attributes.get("dilations", [1] * len(shape)), ends)]
        attributes["ceil_mode"] = int(all(s <= r for s, r in zip(attributes["strides"], reach)))
    g.node(op, [x], **attributes)


def norm(g, x, shape):
    rank = len(shape)
    if rank < 2:
        raise Skip
    channels = shape[1]

    def per_channel(shift=0.0):
        return g.weight([channels], .3, shift)

    kind = g.pick("batch", "instance", "layer", "layer", "group", "rms", "lrn", "softmax", "softmax", "log_softmax", "lp", "mvn")
    if kind == "batch":
        variance = g.constant(np.abs(g.random.standard_normal(channels)).astype(np.float32) + .5)
        g.node("BatchNormalization", [x, per_channel(1), per_channel(), per_channel(), variance], epsilon=g.pick(1e-5, 1e-3))
    elif kind == "instance" and rank > 2:
        g.node("InstanceNormalization", [x, per_channel(1), per_channel()], epsilon=1e-3)
    elif kind == "layer" and g.opset >= 17:
        axis = g.number(1, rank - 1)
        inputs = [x, g.weight(shape[axis:], .3, 1)] + ([g.weight(shape[axis:], .3)] if g.chance(.7) else [])
        g.node("LayerNormalization", inputs, axis=axis, epsilon=1e-3)
    elif kind == "rms" and g.opset >= 23:
        axis = g.number(1, rank - 1)
        g.node("RMSNormalization", [x, g.weight(shape[axis:], .3, 1)], axis=axis, epsilon=1e-3)
    elif kind == "group" and g.opset >= 21 and rank > 2:
        groups = g.pick(*(d for d in range(1, channels + 1) if channels % d == 0))
        g.node("GroupNormalization", [x, per_channel(1), per_channel()], num_groups=groups, epsilon=1e-3)
    elif kind == "lrn" and rank == 4:
        g.node("LRN", [x], size=g.pick(1, 3, 5), alpha=.1, bias=1.5)
    elif kind in ("softmax", "log_softmax"):
        g.node("Softmax" if kind == "softmax" else "LogSoftmax", [x], axis=g.number(1, rank - 1))
    elif kind == "lp":
        g.node("LpNormalization", [x], axis=g.number(1, rank - 1), p=g.number(1, 2))
    elif kind == "mvn" and rank == 4:
        # Of equal elements it divides a rounding error by 1e-9.
        varied = g.node("Add", [x, g.weight([1, *shape[1:]])])
        g.node("MeanVarianceNormalization", [varied], axes=g.pick([0, 2, 3], [2, 3]) if not g.symbolic else [2, 3])
    else:
        raise Skip


def attention_op(g, x, shape):
    """The op Attention, on [batch, heads, length, channels]; keys and values from x or from constants."""
    if len(shape) != 4 or g.opset < 23:
        raise Skip
    batch, heads, length, channels = shape
    keys = values = x
    causal = g.chance(.3)
    if not g.symbolic and g.chance() and not causal:
        group = g.pick(*(d for d in range(1, heads + 1) if heads % d == 0))
        other = g.number(1, 20)
        keys = g.weight([batch, heads // group, other, channels])
        values = g.weight([batch, heads // group, other, g.number(1, 12)])
    else:
        other = length
    inputs = [x, keys, values]
    if g.chance(.3) and not causal:
        mask = g.random.random([length, other]) < .7
        mask[:, 0] = True
        inputs.append(g.constant(mask) if g.chance() else g.weight([length, other]))
    g.node("Attention", inputs, is_causal=int(causal), scale=g.pick(None, .3), softcap=g.pick(None, None, 5.0))


def attention_spelled(g, x, shape):
    """softmax(q kᵀ / √c + mask) v by its parts: on the last two dimensions, or with heads split off a sequence."""
    rank = len(shape)
    if rank not in (3, 4):
        raise Skip
    q, channels = x, shape[-1]
    heads = g.pick(*(d for d in range(1, channels + 1) if channels % d == 0)) if rank == 3 and shape[1] > 1 else 0

    def project():
        p = g.node("MatMul", [x, g.weight([channels, channels], channels ** -.5)])
        if not heads:
            return p
        p = g.node("Reshape", [p, g.integers(0, 0, heads, channels // heads)])
        return g.node("Transpose", [p], perm=[0, 2, 1, 3])

    q, k, v = project(), project(), project()
    dims = len(g.values[q])
    k = g.node("Transpose", [k], perm=[*range(dims - 2), dims - 1, dims - 2])
    scale = float((channels // max(heads, 1)) ** -.5)
    if g.chance(.3):
        q = g.node("Mul", [q, g.constant(np.float32(scale))])
        scores = g.node("MatMul", [q, k])
    else:
        scores = g.node(*g.pick(("Div", [g.node("MatMul", [q, k]), g.constant(np.float32(1 / scale))]),
                                ("Mul", [g.node("MatMul", [q, k]), g.constant(np.float32(scale))])))
    if g.chance(.4):
        scores = g.node("Add", [scores, g.weight(g.values[scores][-2:])])
    y = g.node("MatMul", [g.node("Softmax", [scores], axis=-1), v])
    if heads and g.chance(.8):
        y = g.node("Transpose", [y], perm=[0, 2, 1, 3])
        g.node("Reshape", [y, g.integers(0, 0, channels)])


def matmul(g, x, shape):
    rank = len(shape)
    if rank < 2:
        raise Skip
    columns = g.number(1, 40)
    if rank == 2 and g.chance():
        transposed = g.number(0, 1)
        inputs = [x, g.weight([columns, shape[1]] if transposed else [shape[1], columns], shape[1] ** -.5)]
        if g.chance():
            inputs.append(g.weight(g.pick([columns], [1, columns], [1]), .3))
        return g.node("Gemm", inputs, transB=transposed, alpha=g.pick(1.0, .5), beta=g.pick(1.0, 2.0))
    others = [n for n, s in g.values.items() if len(s) == rank and s[:-2] == shape[:-2] and s[-2] == shape[-1]]
    if others and g.chance():
        return g.node("MatMul", [x, g.pick(*others)])
    batch = shape[:-2] if g.chance(.2) and not g.symbolic else []
    g.node("MatMul", [x, g.weight([*batch, shape[-1], columns], shape[-1] ** -.5)])


def unary(g, x, shape):
    op = g.pick(*UNARY, *(["Gelu"] if g.opset >= 20 else []), *(["Mish"] if g.opset >= 18 else []))
    if op == "Gelu":
        return g.node(op, [x], approximate=g.pick("none", "tanh"))
    g.node(op, [x], alpha=g.pick(None, .3) if op in ("Elu", "LeakyRelu") else None)


def composed(g, x, shape):
    """Element-wise functions that need care with their domain."""
    kind = g.pick("silu", "sqrt", "log", "exp", "reciprocal", "pow", "clip", "prelu", "where")
    if kind == "silu":
        g.node("Mul", [x, g.node("Sigmoid", [x])])
    elif kind in ("sqrt", "log", "reciprocal"):
        positive = g.node("Add", [g.node("Abs", [x]), g.constant(np.float32(.5))])
        g.node({"sqrt": "Sqrt", "log": "Log", "reciprocal": "Reciprocal"}[kind], [positive])
    elif kind == "exp":
        g.node("Exp", [g.node("Clip", [x, g.constant(np.float32(-4)), g.constant(np.float32(4))])])
    elif kind == "pow":
        g.node("Pow", [x, g.constant(np.float32(g.pick(2, 3)))])
    elif kind == "clip":
        g.node("Clip", [x, *g.pick([g.constant(np.float32(-.5)), g.constant(np.float32(1))], ["", g.constant(np.float32(1))])])
    elif kind == "prelu":
        slope = [shape[1], *[1] * (len(shape) - 2)] if len(shape) > 1 else [1] * len(shape)
        g.node("PRelu", [x, g.weight(slope, .3)])
    else:
        flags = g.node(g.pick("Less", "Greater", "LessOrEqual"), [x, g.weight([1] * len(shape))], known=False)
        g.other(flags, shape, BOOL)
        g.node("Where", [flags, x, g.weight([1] * len(shape))] if g.chance() else [flags, g.constant(np.float32(0)), x])


def binary(g, x, shape):
    op = g.pick("Add", "Add", "Sub", "Mul", "Mul", "Min", "Max", "Div")
    others = [n for n, s in g.values.items() if s == shape or len(s) == len(shape) and all(a == b or 1 in (a, b) for a, b in zip(s, shape))]
    if op != "Div" and len(others) > 1 and g.chance(.7):
        other = g.pick(*others)
    else:
        sizes = [1 if g.chance() or g.symbolic and i == 0 else s for i, s in enumerate(shape)]
        sizes = sizes[g.number(0, len(sizes)):] if g.chance(.3) else sizes
        values = g.random.standard_normal(sizes)
        other = g.constant((np.sign(values) * (np.abs(values) + .5) if op == "Div" else values).astype(np.float32))
    g.node(op, [x, other] if op == "Div" or g.chance(.7) or other not in g.values else [other, x])


def resize(g, x, shape):
    if len(shape) not in (3, 4):
        raise Skip
    mode = g.pick("nearest", "nearest", "linear", "cubic" if len(shape) == 4 else "linear")
    scales = [1.0, 1.0] + [g.pick(1.0, 2.0, 2.0, 3.0, .5, 1.5) for _ in shape[2:]]
    coordinates = g.pick("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
    attributes = dict(mode=mode, coordinate_transformation_mode=coordinates)
    if mode == "nearest":
        attributes["nearest_mode"] = g.pick("floor", "ceil", "round_prefer_floor")
    # Coordinates on the border of two pixels round as the float arithmetic goes; and of a length that is a fraction, ONNX
    # Runtime takes the whole elements, unlike ONNX's text.
    fraction = any(s * f != int(s * f) for s, f in zip(shape, scales))
    if coordinates == "align_corners" and (mode == "nearest" or fraction):
        attributes["coordinate_transformation_mode"] = "asymmetric"
    if g.chance() or g.symbolic:
        g.node("Resize", [x, "", g.constant(np.array(scales, np.float32))], **attributes)
    else:
        g.node("Resize", [x, "", "", g.integers(*shape[:2], *(max(1, int(s * f)) for s, f in zip(shape[2:], scales[2:])))], **attributes)


def concat(g, x, shape):
    axis = g.axis(len(shape))
    others = [n for n, s in g.values.items() if len(s) == len(shape) and all(a == b for i, (a, b) in enumerate(zip(s, shape)) if i != axis)]
    names = [x] + [g.pick(*others) for _ in range(g.number(1, 2))]
    g.random.shuffle(names)
    g.node("Concat", [str(n) for n in names], axis=axis)


def split(g, x, shape):
    axis = g.axis(len(shape))
    if shape[axis] < 2:
        raise Skip
    first = g.number(1, shape[axis] - 1)
    g.node("Split", [x, g.integers(first, shape[axis] - first)], outputs=2, axis=axis)


def slices(g, x, shape):
    axes = [a for a in g.free_axes(len(shape)) if g.chance()] or [g.axis(len(shape))]
    starts, ends, steps = [], [], []
    for axis in axes:
        size, step = shape[axis], g.pick(1, 1, 1, 2, 3, -1, -2)
        low = g.number(0, size - 1)
        high = g.number(low + 1, size)
        start, end = (low, high) if step > 0 else (high - 1, low - 1 if low else -size - 1)
        if g.chance(.3) and step > 0:
            start, end = start - size, g.pick(end, 2 ** 31, 2 ** 62) if end == size else end
        starts.append(start), ends.append(end), steps.append(step)
    g.node("Slice", [x, g.integers(*starts), g.integers(*ends), g.integers(*axes), g.integers(*steps)])


def pad(g, x, shape):
    mode = g.pick("constant", "constant", "edge", "reflect")
    low, high = ([g.number(0, min(2, s - 1)) if i in g.free_axes(len(shape)) and g.chance(.6) else 0 for i, s in enumerate(shape)] for _ in range(2))
    inputs = [x, g.integers(*low, *high)]
    g.node("Pad", inputs + ([g.constant(np.float32(.5))] if mode == "constant" and g.chance() else []), mode=mode)


def movement(g, x, shape):
    rank = len(shape)
    kind = g.pick("transpose", "transpose", "reshape", "unsqueeze", "flatten", "gather", "tile", "expand", "depth", "space", "squeeze", "trilu")
    axes = g.free_axes(rank)
    if kind == "transpose":
        perm = [int(a) for a in g.random.permutation(axes)]
        g.node("Transpose", [x], perm=[0] * (rank - len(perm)) + perm)
    elif kind == "reshape" and rank > 2:
        at = g.number(1, rank - 2)
        merged = [0 if g.symbolic else shape[0], *shape[1:at], shape[at] * shape[at + 1], *shape[at + 2:]]
        if g.chance(.4):
            merged[at] = -1
        g.node("Reshape", [x, g.integers(*merged)])
    elif kind == "unsqueeze" and rank < 4:
        g.node("Unsqueeze", [x, g.integers(g.number(1, rank))])
    elif kind == "squeeze" and 1 in shape[1:]:
        g.node("Squeeze", [x, g.integers(1 + shape[1:].index(1))])
    elif kind == "flatten":
        g.node("Flatten", [x], axis=1 if g.symbolic else g.number(1, rank))
    elif kind == "gather":
        axis = g.axis(rank)
        indices = [g.number(-shape[axis], shape[axis] - 1) for _ in range(g.number(1, 5))]
        g.node("Gather", [x, g.constant(np.int64(indices[0])) if g.chance(.3) else g.integers(*indices)], axis=axis)
    elif kind == "tile":
        g.node("Tile", [x, g.integers(*(g.number(1, 2) if a in axes else 1 for a in range(rank)))])
    elif kind == "expand" and not g.symbolic:
        g.node("Expand", [x, g.integers(*(g.number(2, 4) if s == 1 else s for s in shape))])
    elif kind == "depth" and rank == 4 and shape[1] % 4 == 0:
        g.node("DepthToSpace", [x], blocksize=2, mode=g.pick("DCR", "CRD"))
    elif kind == "space" and rank == 4 and shape[2] % 2 == 0 == shape[3] % 2:
        g.node("SpaceToDepth", [x], blocksize=2)
    elif kind == "trilu" and rank > (2 if g.symbolic else 1) and g.opset >= 14:
        g.node("Trilu", [x, g.constant(np.int64(g.number(-2, 2)))], upper=g.number(0, 1))
    else:
        raise Skip


def reduction(g, x, shape):
    rank, op = len(shape), g.pick(*REDUCTIONS)
    axes = [a for a in g.free_axes(rank) if g.chance()] or [g.axis(rank)]
    keep = g.number(0, 1)
    if op == "ReduceSum" or g.opset >= 18:
        g.node(op, [x, g.integers(*axes)], keepdims=keep)
    else:
        g.node(op, [x], axes=axes, keepdims=keep)


OPS = [(conv, 6), (conv_transpose, 2), (pool, 3), (norm, 4), (attention_op, 2), (attention_spelled, 2), (matmul, 3), (unary, 4), (composed, 2),
       (binary, 4), (resize, 1), (concat, 2), (split, 1), (slices, 2), (pad, 1), (movement, 4), (reduction, 1)]


def start(g):
    kind = g.pick("image", "image", "image", "sequence", "signal", "volume", "heads", "matrix")
    if kind == "image":
        g.add_input([g.batch, g.number(1, 20), g.number(3, 17), g.number(3, 17)])
    elif kind == "sequence":
        g.add_input([g.batch, g.number(1, 30), g.number(1, 32)])
    elif kind == "signal":
        g.add_input([g.batch, g.number(1, 10), g.number(4, 60)])
    elif kind == "volume":
        g.add_input([g.batch, g.number(1, 6), *(g.number(2, 8) for _ in range(3))])
    elif kind == "heads":
        g.add_input([g.batch, g.number(1, 6), g.number(1, 24), g.number(1, 20)])
    else:
        g.add_input([g.batch, g.number(1, 64)])
    if g.chance(.3):
        g.add_input(next(iter(g.inputs.values())))


def random_graph(*seed):
    """The graph of a seed, 1 to 8 ops."""
    g = Graph(np.random.default_rng(seed))
    start(g)
    ops, weights = zip(*OPS)
    share = np.array(weights) / sum(weights)
    wanted, tries = g.number(1, 8), 0
    while tries < 60 and wanted > 0:
        tries += 1
        names = list(g.values)
        x = names[-1] if g.chance(.7) else g.pick(*names)
        before = len(g.nodes), dict(g.values), dict(g.weights)
        try:
            ops[g.random.choice(len(ops), p=share)](g, x, list(g.values[x]))
            wanted -= 1
        except Skip:
            del g.nodes[before[0]:]
            g.values, g.weights = before[1], before[2]
    if not g.nodes:
        g.node("Relu", [next(iter(g.inputs))])
    return g
