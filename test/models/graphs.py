"""Models that no exporter at hand writes, because PyTorch alone lacks the op: as ONNX graphs; ONNX Runtime computes what is expected."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Nodes in order, weights with He's scale from a fixed seed; every method returns the name of its result."""
    def __init__(self, seed):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(seed)

    def weight(self, *shape, scale=None):
        fan = np.prod(shape[1:]) if len(shape) > 1 else 100
        return self.constant((self.random.standard_normal(shape) * (scale or np.sqrt(2 / fan))).astype(np.float32))

    def constant(self, array):
        self.weights.append(numpy_helper.from_array(np.asarray(array), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def op(self, kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def conv(self, x, cin, cout, stride=1, k=3):
        return self.op("Conv", x, self.weight(cout, cin, k, k), self.weight(cout), strides=[stride] * 2, pads=[k // 2] * 4)

    def save(self, path, inputs, outputs):
        """The model, and with it inputs and expected outputs; `inputs` are arrays by name, `outputs` shapes by name."""
        import onnxruntime
        values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()]
        results = [helper.make_tensor_value_info(f"output_{i}", TensorProto.FLOAT, None) for i in range(len(outputs))]
        ends = [helper.make_node("Identity", [o], [r.name]) for o, r in zip(outputs, results)]
        graph = helper.make_graph(self.nodes + ends, "graph", values, results, self.weights)
        model = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10))
        onnx.checker.check_model(model)
        onnx.save(model, path + ".onnx")
        run = onnxruntime.InferenceSession(path + ".onnx", providers=["CPUExecutionProvider"]).run(None, inputs)
        np.savez(path + ".npz", **inputs, **{f"output_{i}": o for i, o in enumerate(run)})


def region_attention(path):
    """A detection head: regions of a feature map by RoiAlign, their boxes, and hard attention, which describes the best region only."""
    g = Graph(3)
    f = g.op("Relu", g.conv("image", 3, 32, 2))
    f = g.op("Relu", g.conv(f, 32, 64, 2))
    rois = g.op("RoiAlign", f, "regions", g.constant(np.zeros(6, np.int64)), output_height=7, output_width=7, sampling_ratio=2,
                spatial_scale=0.25)
    x = g.op("Relu", g.op("Gemm", g.op("Flatten", rois), g.weight(128, 64 * 49), g.weight(128), transB=1))
    boxes = g.op("Gemm", x, g.weight(4, 128), transB=1)
    score = g.op("Gemm", g.op("Tanh", g.op("Gemm", x, g.weight(64, 128), transB=1)), g.weight(1, 64), transB=1)
    best = g.op("ArgMax", score, axis=0, keepdims=0)
    chosen = g.op("Gather", x, best, axis=0)
    classes = g.op("Softmax", g.op("Gemm", chosen, g.weight(20, 128), transB=1))
    left, top = g.random.uniform(0, 40, (2, 6))
    regions = np.stack([left, top, left + g.random.uniform(4, 24, 6), top + g.random.uniform(4, 24, 6)], 1)
    g.save(path, {"image": g.random.standard_normal((1, 3, 64, 64)).astype(np.float32), "regions": regions.astype(np.float32)},
           [classes, boxes])


def deformable(path):
    """A net with two deformable convolutions: offsets and masks of the taps are computed from the features."""
    g = Graph(4)
    x, cin = g.op("Relu", g.conv("image", 3, 16, 2)), 16
    for cout in (32, 48):
        offset = g.op("Mul", g.conv(x, cin, 18), g.constant(np.float32(0.5)))
        mask = g.op("Sigmoid", g.conv(x, cin, 9))
        x = g.op("Relu", g.op("DeformConv", x, g.weight(cout, cin, 3, 3), offset, g.weight(cout), mask, kernel_shape=[3, 3],
                              pads=[1] * 4))
        x, cin = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), cout
    x = g.op("Flatten", g.op("GlobalAveragePool", x))
    g.save(path, {"image": g.random.standard_normal((1, 3, 48, 48)).astype(np.float32)}, [g.op("Gemm", x, g.weight(10, 48), transB=1)])


graphs = {"region_attention": region_attention, "deformable": deformable}
