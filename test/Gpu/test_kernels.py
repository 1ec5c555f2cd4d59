"""Products, convolutions and attention, kernel by kernel: numbers in the emulator against torch, and what ptxas makes of them."""
import os
import re
import subprocess

import pytest
import torch
import torch.nn.functional as F

from emulate import BUILD, Kernels, TensorMap
from kernel_text import TYPES, attention, conv, matmul

BOUNDS = {"f16": 2e-3, "bf16": 1.2e-2, "f32": 5e-6, "tf32": 2e-3}
LONG = bool(os.environ.get("COAT_TEST_LONG"))


def lowered(text, arch, flags):
    """The kernel as coat-emulate takes it."""
    passes = (f"builtin.module(func.func(coat-fuse-epilogues),coat-emit-gpu-kernels{{archs={arch} {flags}}},"
              "gpu.module(func.func(coat-lower-math),coat-finish-gpu-kernels))")
    return subprocess.run([os.path.join(BUILD, "bin/coat-opt"), "-", f"--pass-pipeline={passes}"], input=text, text=True, check=True,
                          capture_output=True).stdout


def maps_of(text, arguments):
    """The TMA maps that coat.maps describes."""
    maps = []
    for entry in re.findall(r"\{(arg = [^}]*)\}", text):
        numbers = lambda name: [int(n) for n in re.search(rf"\b{name} = array<i64: ([-\d, ]+)>", entry).group(1).split(",")]
        number = lambda name: int(re.search(rf"\b{name} = (\d+)", entry).group(1))
        type = re.search(r'type = "(\w+)"', entry).group(1)
        fields = dict(type=type, swizzle=number("swizzle"), sizes=numbers("sizes"), strides=numbers("strides"))
        if "im2col" in entry:
            fields.update(lower=numbers("lower"), upper=numbers("upper"), channels=number("channels"), pixels=number("pixels"),
                          element_strides=numbers("element_strides"))
        else:
            fields["box"] = numbers("box")
        maps.append(TensorMap(arguments[number("arg")], **fields))
    return maps


def as_array(tensor):
    return tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def run(text, tensors, arch, flags="", seed=1):
    text = lowered(text, arch, flags)
    arrays = [as_array(tensor) for tensor in tensors]
    number = lambda name: int(re.search(name + r" = (?:array<i\d+: )?(\d+)", text).group(1))
    Kernels(text=text).run(f"k0_{arch}", [number("coat.grid")], [number("nvvm.reqntid")], arrays + maps_of(text, arrays),
                           number("coat.shared"), seed)


def check(got, expected, bound):
    assert not torch.isnan(got).any()
    assert (got.double() - expected).abs().max() <= bound * expected.abs().max()


def random(shape, type):
    return torch.randn(*shape).to(TYPES[type])


# One tile of each kind: large and small, with slices along k, ragged everywhere; then what is chosen.
PRODUCTS = {
    "large": ([130, 72], [72, 136], {}, [128, 128, 32, 64, 64, 1, 4]),
    "slices": ([50, 256], [256, 72], dict(bias=True), [32, 32, 64, 16, 32, 4, 4]),
    "transposed": ([72, 136], [104, 72], dict(transpose_lhs=True, transpose_rhs=True), [64, 64, 32, 32, 32, 1, 3]),
    "odd": ([37, 45], [45, 51], dict(bias=True, residual=True, activation="silu"), None),
    "odd_transposed": ([37, 45], [51, 45], dict(transpose_rhs=True, bias=True, activation="gelu"), None),
    "batch": ([3, 40, 64], [3, 64, 72], dict(bias=True), None),
    "row": ([5, 256], [256, 100], {}, None),
}
WARPGROUP_PRODUCTS = {
    "two_consumers": ([300, 136], [136, 256], dict(bias=True, residual=True), [2, 256, 3]),
    "along_k": ([197, 72], [200, 72], dict(transpose_rhs=True), [1, 64, 2]),
    "persistent": ([64 * 30, 64], [64 * 5, 64], dict(transpose_rhs=True), [1, 32, 2]),
    "batch": ([3, 80, 64], [3, 64, 72], {}, None),
}


def product(left, right, type, arch, flags, options, tile):
    torch.manual_seed(0)
    text, shape = matmul(left, right, type, tile=tile, **options)
    a, b = random(left, type), random(right, type)
    tensors, result = [a, b], torch.full(shape, float("nan"), dtype=TYPES[type])
    expected = ((a.mT if options.get("transpose_lhs") else a).double() @ (b.mT if options.get("transpose_rhs") else b).double())
    if options.get("bias"):
        tensors.append(random(shape[-1:], type))
        expected += tensors[-1].double()
    if options.get("residual"):
        tensors.append(random(shape, type))
        expected += tensors[-1].double()
    if options.get("activation"):
        expected = getattr(F, options["activation"])(expected)
    run(text, tensors + [result], arch, flags)
    check(result, expected, BOUNDS["tf32" if flags else type])


@pytest.mark.parametrize("type, flags", [("f16", ""), ("f32", ""), ("f32", "tf32")] + [("bf16", "")] * LONG)
@pytest.mark.parametrize("name", PRODUCTS)
def test_product(name, type, flags):
    left, right, options, tile = PRODUCTS[name]
    if type == "f32" and tile:
        tile = None if not flags else tile[:2] + [tile[2] // 2] + tile[3:]
    product(left, right, type, "sm_80", flags, options, tile)


@pytest.mark.parametrize("type, flags", [("f16", ""), ("f32", "tf32")])
@pytest.mark.parametrize("name", WARPGROUP_PRODUCTS)
def test_warpgroup_product(name, type, flags):
    left, right, options, tile = WARPGROUP_PRODUCTS[name]
    product(left, right, type, "sm_90a", flags, options, tile)


CONVOLUTIONS = {
    "same": (1, [9, 11], 32, 48, [3, 3], dict(pad=1, residual=True)),
    "stride": (2, [15, 13], 64, 72, [3, 3], dict(pad=1, stride=2)),
    "pointwise_stride": (2, [14, 13], 64, 64, [1, 1], dict(stride=2, activation=None)),
    "dilation": (1, [12, 10], 16, 24, [3, 3], dict(pad=2, dilation=2)),
    "stem": (1, [17, 15], 3, 16, [7, 7], dict(pad=3, stride=2)),
    "plain_filter": (1, [9, 7], 6, 20, [3, 3], dict(pad=1, filter_strides=[54, 9, 3, 1])),
    "groups": (1, [8, 8], 128, 64, [3, 3], dict(pad=1, group=2, bias=False)),
    "line": (2, [140], 24, 40, [5], dict(pad=2, stride=2)),
    "volume": (1, [4, 5, 6], 16, 24, [3, 3, 3], dict(pad=1)),
}


@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution(name, arch, type="f16"):
    torch.manual_seed(0)
    batch, spatial, channels, outputs, window, options = CONVOLUTIONS[name]
    text, shape = conv(batch, spatial, channels, outputs, window, type, **options)
    x = random([batch, *spatial, channels], type)
    filter = random([outputs, channels // options.get("group", 1), *window], type)
    tensors = [x, filter if "filter_strides" in options else filter.movedim(1, -1).contiguous()]
    bias = random([outputs], type) if options.get("bias", True) else None
    tensors += [bias] if bias is not None else []
    expected = [F.conv1d, F.conv2d, F.conv3d][len(window) - 1](
        x.double().movedim(-1, 1), filter.double(), bias if bias is None else bias.double(), options.get("stride", 1),
        options.get("pad", 0), options.get("dilation", 1), options.get("group", 1)).movedim(1, -1)
    if options.get("residual"):
        tensors.append(random(shape, type))
        expected = expected + tensors[-1].double()
    if options.get("activation", "relu"):
        expected = expected.relu()
    result = torch.full(shape, float("nan"), dtype=TYPES[type])
    run(text, tensors + [result], arch)
    check(result, expected, BOUNDS[type])


# batch, heads, key heads, queries, keys, depth, width
ATTENTIONS = {
    "self": ((1, 2, 2, 130, 130, 64, 64), {}),
    "causal": ((1, 2, 2, 130, 130, 32, 32), dict(causal=True)),
    "grouped": ((2, 4, 2, 70, 150, 128, 128), dict(causal=True, offset=80)),
    "cross": ((1, 1, 1, 77, 270, 80, 96), {}),
    "hidden_rows": ((1, 2, 2, 72, 135, 64, 64), dict(mask=([72, 135], "i1"))),
    "added_mask": ((1, 2, 1, 72, 140, 64, 32), dict(mask=([2, 72, 140], "f16"), softcap=5.0)),
    "wide": ((1, 1, 1, 65, 130, 256, 256), {}),
    "nothing_visible": ((1, 1, 1, 140, 140, 64, 64), dict(causal=True, offset=-5)),
    "short": ((1, 1, 1, 13, 19, 40, 40), dict(causal=True)),
}


def attend(sizes, options, type, arch, flags, bound):
    torch.manual_seed(0)
    batch, heads, key_heads, queries, keys, depth, width = sizes
    if type == "f32" and "mask" in options and options["mask"][1] != "i1":
        options = {**options, "mask": (options["mask"][0], "f32")}
    text, shape = attention(*sizes, type, **options)
    q, k, v = random([batch, heads, queries, depth], type), random([batch, key_heads, keys, depth], type), random(
        [batch, key_heads, keys, width], type)
    tensors, repeat = [q, k, v], heads // key_heads
    scores = q.double() @ k.double().repeat_interleave(repeat, 1).mT * depth ** -0.5
    if cap := options.get("softcap"):
        scores = cap * torch.tanh(scores / cap)
    if "mask" in options:
        sizes, kind = options["mask"]
        mask = torch.rand(*sizes) < 0.6 if kind == "i1" else random(sizes, kind)
        if kind == "i1":
            mask[3] = False
        tensors.append(mask)
        scores = scores.masked_fill(~mask, -torch.inf) if kind == "i1" else scores + mask.double()
    if options.get("causal"):
        position = torch.arange(queries)[:, None] + options.get("offset", 0)
        scores = scores.masked_fill(torch.arange(keys)[None] > position, -torch.inf)
    expected = torch.softmax(scores, -1).nan_to_num(0) @ v.double().repeat_interleave(repeat, 1)
    result = torch.full(shape, float("nan"), dtype=TYPES[type])
    run(text, tensors + [result], arch, flags)
    check(result, expected, bound)


@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name, arch):
    sizes, options = ATTENTIONS[name]
    attend(sizes, options, "f16", arch, "", 3e-3)


@pytest.mark.parametrize("flags, bound", [("", 1e-5), ("tf32", 3e-3)])
@pytest.mark.parametrize("name", ATTENTIONS if LONG else ["causal", "hidden_rows"])
def test_attention_of_f32(name, flags, bound):
    sizes, options = ATTENTIONS[name]
    attend(sizes, options, "f32", "sm_80", flags, bound)
