"""What coat is compared with on the same GPU, through PyTorch: cuBLAS (matmul), cuDNN (conv), SDPA, torch.compile."""
import os
import sys

import torch
import torch.nn.functional as F

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {"f32": torch.float32, "tf32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def captured(work):
    """`work` as a CUDA graph, so that neither side pays for Python."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def timed(name, work):
    """peer(count): milliseconds of one `work`, the mean of so many."""
    def peer(count):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(count):
            work()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / count
    peer.name = name
    return peer


def random(shape, dtype):
    return torch.randn(shape, device="cuda", dtype=torch.float32).to(TYPES[dtype])


def matmul(spec):
    a, b = random((spec["m"], spec["k"]), spec["dtype"]), random((spec["k"], spec["n"]), spec["dtype"])
    return timed("cuBLAS", captured(lambda: a @ b))


def conv(spec):
    torch.backends.cudnn.benchmark = True
    x = random((spec["n"], spec["c"], spec["h"], spec["w"]), spec["dtype"]).to(memory_format=torch.channels_last)
    w = random((spec["k"], spec["c"], spec["r"], spec["r"]), spec["dtype"]).to(memory_format=torch.channels_last)
    return timed("cuDNN", captured(lambda: F.conv2d(x, w, stride=spec["stride"], padding=spec["pad"])))


def attention(spec):
    q, k, v = (random((spec["b"], spec["h"], spec["l"], spec["d"]), spec["dtype"]) for _ in range(3))
    return timed("SDPA", captured(lambda: F.scaled_dot_product_attention(q, k, v, is_causal=spec["causal"])))


def network(spec):
    """A network of test/models under torch.compile with CUDA graphs, as autocast computes it."""
    sys.path.insert(0, os.path.join(ROOT, "test", "models"))
    from networks import build
    module, inputs = build(spec["network"])
    module = module.cuda().eval()
    inputs = [value.cuda() for value in inputs.values()]
    compiled = torch.compile(module, mode="reduce-overhead")
    dtype = TYPES[spec["dtype"]]

    def work():
        with torch.no_grad(), torch.autocast("cuda", dtype=dtype, enabled=dtype != torch.float32):
            compiled(*inputs)
    for _ in range(5):
        work()
    return timed("torch.compile", work)


def make_peer(spec):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = spec["dtype"] == "tf32"
    return {"matmul": matmul, "conv": conv, "attention": attention, "network": network}[spec["kind"]](spec)
