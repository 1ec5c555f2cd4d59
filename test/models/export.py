"""Writes the models of the test suite with the framework's own outputs beside them.

  export.py OUT [name ...]      OUT/<name>.<exporter>.onnx, OUT/<name>.npz (inputs, then output_0 ..)
  export.py OUT -               the same for the names on stdin, one a line; prints each when it is done

Exporters: legacy and dynamo of PyTorch, Keras 3, and `light`, the graphs of the onnx package with each
constant weight replaced by a seeded He-scaled random one (as shipped every weight is 0.02).
"""
import os
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")
warnings.filterwarnings("ignore")
import numpy as np

LIGHT = ["bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet", "vgg19", "zfnet512"]
KERAS = ["keras_lenet", "keras_conv_attention"]
# Names of symbolic dimensions by input and axis, for the variants exported with --dynamic.
DYNAMIC = {"resnet18": {"image": {0: "N"}}, "vit_ti16": {"image": {0: "N"}}, "text_classifier": {"tokens": {1: "L"}}}


def export_torch(name, out):
    import torch
    from networks import build
    module, inputs = build(name)
    with torch.no_grad():
        results = module(*inputs.values())
    results = results if isinstance(results, tuple) else (results,)
    outputs = {f"output_{i}": r.numpy() for i, r in enumerate(results)}
    np.savez(f"{out}/{name}.npz", **{k: v.numpy() for k, v in inputs.items()}, **outputs)
    args, names = tuple(inputs.values()), list(inputs)
    common = dict(input_names=names, output_names=list(outputs))
    torch.onnx.export(module, args, f"{out}/{name}.legacy.onnx", dynamo=False, opset_version=17, **common)
    torch.onnx.export(module, args, f"{out}/{name}.dynamo.onnx", dynamo=True, external_data=False, verbose=False, **common)
    if name not in DYNAMIC:
        return
    # The classifier's length and the batch are symbolic; larger examples keep the exporter from specialising to 1.
    axes = DYNAMIC[name]
    big = tuple(torch.cat([v, v, v], 0) if 0 in axes.get(k, {}) else v for k, v in inputs.items())
    torch.onnx.export(module, big, f"{out}/{name}.symbolic.onnx", dynamo=False, opset_version=17, dynamic_axes=axes, **common)
    runs = {}
    for size in (1, 3, 8) if 0 in next(iter(axes.values())) else (1, 17, 128):
        generator = torch.Generator().manual_seed(size)
        key, value = next(iter(inputs.items()))
        shape = list(value.shape)
        shape[next(iter(axes[key]))] = size
        x = torch.randint(0, 1000, shape, generator=generator) if value.dtype == torch.int64 else torch.randn(shape, generator=generator)
        with torch.no_grad():
            runs[f"{key}_{size}"], runs[f"output_0_{size}"] = x.numpy(), module(x).numpy()
    np.savez(f"{out}/{name}.symbolic.npz", **runs)


def caption_step():
    import torch
    from literature import CaptionStep
    torch.manual_seed(32)
    module, image = CaptionStep().eval(), torch.randn(1, 49, 64)
    past_keys, past_values = (torch.randn(2, 1, 4, 1, 16) for _ in range(2))
    return module, {"token": torch.tensor([[1]]), "place": torch.tensor([[0]]), "image": image, "past_keys": past_keys, "past_values": past_values}


def export_caption(out):
    """One step of the decoder with a symbolic number P of words so far, and 32 steps of PyTorch's, each from the last one's cache."""
    import torch
    module, inputs = caption_step()
    names, (token, _, image, *cache) = list(inputs), inputs.values()
    steps = {k: inputs[k].numpy() for k in ("image", "past_keys", "past_values")}
    example = (token, torch.tensor([[3]]), image, *(c.expand(-1, -1, -1, 5, -1) for c in cache))
    axes = {"past_keys": {3: "P"}, "past_values": {3: "P"}}
    common = dict(input_names=names, output_names=["logits", "keys", "values"])
    torch.onnx.export(module, example, f"{out}/caption_step.legacy.onnx", dynamo=False, opset_version=17, dynamic_axes=axes, **common)
    torch.onnx.export(module, example, f"{out}/caption_step.dynamo.onnx", dynamo=True, external_data=False, verbose=False,
                      dynamic_shapes=[axes.get(n) and {3: torch.export.Dim("P")} for n in names], **common)
    for i in range(32):
        with torch.no_grad():
            logits, *cache = module(token, torch.tensor([[i]]), image, *cache)
        steps[f"token_{i}"], steps[f"logits_{i}"] = token.numpy(), logits.numpy()
        token = logits[:, -1:].argmax(-1)
    np.savez(f"{out}/caption_step.npz", **steps, **{f"last_{n}": c.numpy() for n, c in zip(("keys", "values"), cache)})


def export_keras(name, out):
    import keras
    from keras import layers
    keras.utils.set_random_seed(7)
    if name == "keras_lenet":
        x = inputs = keras.Input((28, 28, 1), name="image")
        for filters in (6, 16):
            x = layers.AveragePooling2D(2)(layers.Conv2D(filters, 5, padding="same", activation="tanh")(x))
        x = layers.Dense(84, activation="tanh")(layers.Dense(120, activation="tanh")(layers.Flatten()(x)))
        shape = (1, 28, 28, 1)
    else:
        inputs = keras.Input((32, 32, 3), name="image")
        f = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
        a = layers.Reshape((1024, 32))(layers.Conv2D(32, 3, padding="same")(f))
        b = layers.Reshape((1024, 32))(layers.Conv2D(32, 3, padding="same")(f))
        w = layers.Softmax(axis=-1)(layers.Dot(axes=2)([a, b]))
        x = layers.Reshape((32, 32, 32))(layers.Dot(axes=(2, 1))([w, b]))
        x = layers.Flatten()(layers.MaxPooling2D(2, padding="same")(x))
        shape = (1, 32, 32, 3)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    image = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    np.savez(f"{out}/{name}.npz", image=image, output_0=np.asarray(model(image).detach().cpu()))
    model.export(f"{out}/{name}.keras.onnx", format="onnx", verbose=False,
                 input_signature=[keras.InputSpec(shape=shape, dtype="float32", name="image")])


def export_light(name, out):
    """The shipped graph with random weights; expected outputs come from ONNX Runtime."""
    import onnx
    import onnxruntime
    from onnx import numpy_helper
    folder = os.path.join(os.path.dirname(onnx.__file__), "backend/test/data/light")
    model = onnx.load(os.path.join(folder, f"light_{name}.onnx"))
    rng = np.random.default_rng(11)
    constants = {n.output[0]: n for n in model.graph.node if n.op_type == "ConstantOfShape"}
    shapes = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    kinds = {}
    for node in model.graph.node:
        for i, operand in enumerate(node.input):
            kinds[operand] = (node.op_type, i)
    fresh = []

    def random(key, shape):
        kind, index = kinds.get(key, ("", 0))
        if kind == "BatchNormalization":
            return (rng.uniform(0.5, 1.5, shape) if index in (1, 4) else rng.normal(0, 0.1, shape)).astype(np.float32)
        fan = np.prod(shape[1:]) if len(shape) > 1 else 100
        return (rng.standard_normal(shape) * np.sqrt(2 / max(fan, 1)) * (1 if len(shape) > 1 else 0.1)).astype(np.float32)

    for key, node in constants.items():
        shape = tuple(int(d) for d in shapes[node.input[0]])
        fresh.append(numpy_helper.from_array(random(key, shape), key))
        model.graph.node.remove(node)
    for tensor in model.graph.initializer:
        array = shapes[tensor.name]
        if array.dtype == np.float32 and array.size > 1 and np.all(array == array.flat[0]):
            tensor.CopyFrom(numpy_helper.from_array(random(tensor.name, array.shape), tensor.name))
    model.graph.initializer.extend(fresh)
    weights = {t.name for t in model.graph.initializer}
    inputs = {}
    for value in model.graph.input:
        if value.name not in weights:
            shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
            inputs[value.name] = rng.standard_normal(shape).astype(np.float32)

    def run(outputs):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(model.SerializeToString(), options).run(outputs, inputs)

    # A softmax of large scores is 0 and 1 whatever the network computed: the last product is scaled to unit deviation.
    last = model.graph.node[-1]
    product = next((n for n in model.graph.node if last.op_type == "Softmax" and n.output[0] == last.input[0]), None)
    if product is not None and product.op_type == "Gemm":
        model.graph.output.append(onnx.ValueInfoProto(name=product.output[0]))
        deviation = run([product.output[0]])[0].std()
        del model.graph.output[-1]
        for tensor in model.graph.initializer:
            if tensor.name in product.input[1:]:
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) / deviation, tensor.name))
    model.ir_version = max(model.ir_version, 4)  # from 4 on a weight need not be an input of the graph, too
    path = f"{out}/light_{name}.onnx"
    onnx.save(model, path)
    outputs = run(None)
    np.savez(f"{out}/light_{name}.npz", **inputs, **{f"output_{i}": o for i, o in enumerate(outputs)})


def export_narrow(name, precision, out):
    """The network with half-precision weights, and the framework's results, narrow and in f32 (`exact_0` ..); all floating-point
    numbers of the .npz are float32."""
    import torch
    from networks import build
    module, inputs = caption_step() if name == "caption_step" else build(name)
    as_tuple = lambda results: results if isinstance(results, tuple) else (results,)
    with torch.no_grad():
        exact = {f"exact_{i}": r.numpy() for i, r in enumerate(as_tuple(module(*inputs.values())))}
        dtype = getattr(torch, precision)
        module, inputs = module.to(dtype), {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}
        outputs = {f"output_{i}": r.float().numpy() for i, r in enumerate(as_tuple(module(*inputs.values())))}
    as_numpy = lambda value: (value.float() if value.is_floating_point() else value).numpy()
    np.savez(f"{out}/{name}.{precision}.npz", **{k: as_numpy(v) for k, v in inputs.items()}, **outputs, **exact)
    # The legacy exporter casts to complex128, which is ONNX for PyTorch's number of bfloat16, where the models call its attention.
    dynamo = precision == "bfloat16" and name in ("bert_base", "swin_t")
    how = dict(dynamo=True, external_data=False, verbose=False) if dynamo else dict(dynamo=False, opset_version=17)
    torch.onnx.export(module, tuple(inputs.values()), f"{out}/{name}.{precision}.onnx", input_names=list(inputs), output_names=list(outputs), **how)


def export_narrow_graph(name, precision, out):
    """As export_narrow, of an ONNX graph that was exported before. What is expected is ONNX Runtime's result of a graph in f32
    that rounds its weights and the results of each op."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    kind = {"half": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}[precision]
    dtype = helper.tensor_dtype_to_np_dtype(kind)

    def change_weights(model, change):
        held = [a.t for n in model.graph.node for a in n.attribute if a.HasField("t")]
        for tensor in (*model.graph.initializer, *held):
            if tensor.data_type == TensorProto.FLOAT:
                tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))

    path, = (p for p in (f"{out}/{name}{exporter}.onnx" for exporter in (".keras", ".legacy", "")) if os.path.exists(p))
    model = onnx.load(path)
    if model.opset_import[0].version < 13:  # the first whose Cast knows bfloat16
        model = onnx.version_converter.convert_version(model, 13)
    model = onnx.shape_inference.infer_shapes(model)
    narrow = onnx.ModelProto.FromString(model.SerializeToString())
    change_weights(narrow, lambda array: array.astype(dtype))
    for value in (*narrow.graph.input, *narrow.graph.output, *narrow.graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = kind
    for node in narrow.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind
    onnx.save(narrow, f"{out}/{name}.{precision}.onnx")

    change_weights(model, lambda array: array.astype(dtype).astype(np.float32))
    floats = {v.name for v in (*model.graph.value_info, *model.graph.output) if v.type.tensor_type.elem_type == TensorProto.FLOAT}
    nodes = []
    for node in model.graph.node:
        nodes.append(node)
        for i, value in enumerate(node.output):
            if value in floats:
                node.output[i] = value + "_f32"
                nodes += [helper.make_node("Cast", [value + "_f32"], [value + "_narrow"], to=kind),
                          helper.make_node("Cast", [value + "_narrow"], [value], to=TensorProto.FLOAT)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # casts stay
    options.log_severity_level = 3
    data = np.load(f"{out}/{name}.npz")
    inputs = {k: data[k].astype(dtype).astype(np.float32) if data[k].dtype == np.float32 else data[k] for k in data if not k.startswith("output_")}
    results = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, inputs)
    np.savez(f"{out}/{name}.{precision}.npz", **inputs, **{f"output_{i}": r for i, r in enumerate(results)},
             **{k.replace("output", "exact"): data[k] for k in data if k.startswith("output_")})


def main():
    sys.path.insert(0, os.path.dirname(__file__))
    out, wanted = sys.argv[1], sys.argv[2:]
    os.makedirs(out, exist_ok=True)
    from graphs import graphs
    from literature import networks as literature
    from networks import networks
    names = map(str.strip, sys.stdin) if wanted == ["-"] else wanted
    for name in names or [*networks, *literature, *graphs, "caption_step", *KERAS, *(f"light_{n}" for n in LIGHT)]:
        if name.endswith((".half", ".bfloat16")):
            network, precision = name.split(".")
            is_graph = network in (*graphs, *KERAS, "googlenet") or network.startswith("light_")  # PyTorch's LRN has no half
            (export_narrow_graph if is_graph else export_narrow)(network, precision, out)
        elif name in graphs:
            graphs[name](f"{out}/{name}")
        elif name == "caption_step":
            export_caption(out)
        elif name.startswith("light_"):
            export_light(name[len("light_"):], out)
        elif name in KERAS:
            export_keras(name, out)
        else:
            export_torch(name, out)
        print(name, flush=True)


if __name__ == "__main__":
    main()
