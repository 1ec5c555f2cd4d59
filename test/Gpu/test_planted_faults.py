"""Mistakes that kernels are prone to, one at a time, planted in kernels that are right: each must be caught, by a fault of
the emulator or by wrong results, whatever the order of threads and copies. What is not caught here would not be caught in
a kernel that somebody writes tomorrow."""
import os
import re

import numpy as np
import pytest
from onnx import TensorProto

import compiled_kernels
import wgmma_kernels
from emulate import Fault, Kernels, TensorMap, apart
from test_emulator import from_bf16, random, to_bf16

SEEDS = range(3)


def change(pattern, by, number=0):
    """Replaces the number-th match of `pattern`; `by` is text with groups, or a function of the match."""
    def plant(text):
        found = list(re.finditer(pattern, text))
        assert found and len(found) > number, f"{pattern} occurs {len(found)} times"
        match = found[number]
        return text[:match.start()] + (by(match) if callable(by) else match.expand(by)) + text[match.end():]
    return plant


def drop(pattern, number=0):
    """Leaves out the number-th line with `pattern`."""
    return change(r"\n[^\n]*" + pattern + r"[^\n]*", "", number)


def drop_factor(number):
    """Leaves out the number-th product with the factor that the running maximum's change makes."""
    def plant(text):
        factor = re.search(r"(%\d+) = \"nvvm\.inline_ptx\"[^\n]*ex2", text)[1]
        product = list(re.finditer(r'"llvm\.fmul"\((%\d+), ' + factor + r"\)", text))[number]
        return text[:product.start()] + product.expand(r'"llvm.intr.maxnum"(\1, \1)') + text[product.end():]
    return plant


def after(anchor, pattern, by):
    """Replaces the last match of `pattern` in front of the first line with `anchor`."""
    def plant(text):
        place = text.index(anchor)
        match = list(re.finditer(pattern, text[:place]))[-1]
        return text[:match.start()] + match.expand(by) + text[match.end():]
    return plant


WGMMA = {
    "no barrier behind mbarrier.init": change(r"\n  nvvm\.barrier\n", "\n"),
    "no fence behind mbarrier.init": drop(r"nvvm\.fence\.mbarrier\.init"),
    "a consumer does not wait for its tile": drop(r"mbarrier\.try_wait", 1),
    "the producer does not wait for a free stage": drop(r"mbarrier\.try_wait", 0),
    "the wrong parity": after("mbarrier.try_wait", r"arith\.xori (%v\d+), %v\d+", r"arith.ori \1, \1"),
    "fewer bytes expected than come": change(r"arith\.constant 24576 : i32", "arith.constant 16384 : i32"),
    "more bytes expected than come": change(r"arith\.constant 24576 : i32", "arith.constant 24640 : i32"),
    "one arrival frees a stage for two readers": change(r"arith\.constant 2 : i32\n([^\n]*mbarrier\.init)", r"arith.constant 1 : i32\n\1"),
    "no release of stages": drop(r"= nvvm\.mbarrier\.arrive %"),
    "all lanes are the producer": change(r"scf\.if (%v\d+) \{(\n[^\n]*constant 0 : i32\n[^\n]*\n[^\n]*\n[^\n]*scf\.for %i)", r"scf.if %all {\2"),
    "swizzle of 64 bytes in the descriptor": change(r"constant 4611686\d+ : i64", f"constant {2 << 62 | 64 << 32 | 1 << 16} : i64"),
    "stride of rows in the descriptor": change(r"constant 4611686\d+ : i64", f"constant {1 << 62 | 32 << 32 | 1 << 16} : i64", 1),
    "the second step of k twice": change(r"arith\.constant 4 : i64", "arith.constant 2 : i64"),
    "both consumers read the same rows": change(r"arith\.constant 8192 : i32\n([^\n]*arith\.muli)", r"arith.constant 0 : i32\n\1"),
    "B read as [k][n]": change(r"B \[<bf16>, <one>, <col>\]", "B [<bf16>, <one>, <row>]"),
    "a stage is freed while it is read": change(r"wait\.group\.sync\.aligned 1", "wait.group.sync.aligned 2"),
    "no wait for the last wgmma": drop(r"wait\.group\.sync\.aligned 0"),
    "no wgmma.fence": drop(r"wgmma\.fence"),
    "no wgmma.commit": drop(r"wgmma\.commit"),
    "no fence.proxy in front of the bulk store": drop(r"fence\.proxy"),
    "no barrier in front of the bulk store": drop(r"nvvm\.barrier id", 1),
    "a barrier for half of the threads": change(r"arith\.constant 256 : i32", "arith.constant 128 : i32", 1),
    "stmatrix transposed": change(r"layout = #nvvm\.mma_layout<row>", "layout = #nvvm.mma_layout<col>"),
    "no swizzle in the tile that is stored": change(r"arith\.xori (%v\d+), %v\d+(?= : i32\n[^\n]*constant 128 )", r"arith.ori \1, \1"),
    "the halves of a word swapped": change(r"\$1, \$2;", "$2, $1;"),
    "the bulk store is not waited for": drop(r"bulk\.wait_group"),
    "the bulk store is not committed": drop(r"bulk\.commit"),
    "coordinates swapped": change(r"box \[(%v\d+), (%v\d+)\]", r"box [\2, \1]"),
}
IM2COL = {
    "rows and columns of the filter swapped": change(r"im2col \[(%v\d+), (%v\d+)\]", r"im2col [\2, \1]"),
    "x and y of the image swapped": change(r"box \[(%v\d+), (%v\d+), (%v\d+), (%v\d+)\]", r"box [\1, \3, \2, \4]"),
    "padding forgotten": change(r"arith\.constant -1 : i32\n([^\n]*arith\.addi)", r"arith.constant 0 : i32\n\1"),
}
REGISTERS = {
    "order of fragments": change(r"\{\$32, \$33, \$34, \$35\}", "{$32, $34, $33, $35}"),
    "B not transposed": change(r"1, 1, 1, 1;", "1, 1, 1, 0;"),
    "step of B": change(rf"arith\.constant {16 * 128 >> 4} : i64", "arith.constant 64 : i64"),
    "sums forgotten": change(r"\$36, 1, 1, 1, 1;", "$36, 0, 1, 1, 1;", 1),
}
MMA = {
    "no wait for cp.async": drop(r"nvvm\.cp\.async\.wait"),
    "cp.async waited for one step late": change(r"(?<=n = )[1-9](?= : i32)", lambda depth: str(int(depth.group()) + 1)),
    "no barrier behind the wait": drop(r"nvvm\.barrier"),
    "a group is not committed": drop(r"nvvm\.cp\.async\.commit"),
    "order of A's fragments": change(r'"nvvm\.mma\.sync"\((%\d+), (%\d+), (%\d+)', r'"nvvm.mma.sync"(\1, \3, \2'),
    "order of B's fragments": change(r'"nvvm\.mma\.sync"\((%\d+), (%\d+), (%\d+), (%\d+), (%\d+), (%\d+)',
                                     r'"nvvm.mma.sync"(\1, \2, \3, \4, \6, \5'),
    "ldmatrix transposed": change(r"layout = #nvvm\.mma_layout<row>, num", "layout = #nvvm.mma_layout<col>, num"),
    "shared memory two stages short": "shared",
    "no tail: rows behind the last are read": change(r'"llvm\.select"\((%\d+), (%\d+), (%\d+)\)', r'"llvm.select"(\1, \2, \2)'),
    "no swizzle where tiles are written": change(r'"llvm\.xor"\((%\d+), (%\d+)\)', r'"llvm.and"(\1, \1)'),
}
WARPGROUP = {
    "no barrier behind mbarrier.init": drop(r"nvvm\.barrier"),
    "the producer does not wait": drop(r"mbarrier\.try_wait", 0),
    "consumers do not wait": drop(r"mbarrier\.try_wait", 1),
    "bytes are not expected": drop(r"arrive\.expect_tx"),
    "stages are not released": drop(r"nvvm\.mbarrier\.arrive\""),
    "no wgmma.fence": drop(r"wgmma\.fence"),
    "no wgmma.commit": drop(r"wgmma\.commit"),
    "stages are released too early": change(r"(?<=group = )1(?= : i64)", "2"),
    "no wait for the last wgmma": drop(r"nvvm\.wgmma\.wait", 1),
    "sums begin anew": change(r"#nvvm\.wgmma_scale_out<one>", "#nvvm.wgmma_scale_out<zero>", -1),
    "B's major order": change(r"layoutB = #nvvm\.mma_layout<row>", "layoutB = #nvvm.mma_layout<col>"),
    "descriptor without swizzle": change(r"value = 46116862\d+ : i64", f"value = {64 << 32 | 1 << 16} : i64"),
}
ATTENTION = {
    "the row's sum is not rescaled": drop_factor(0),
    "the output is not rescaled": drop_factor(1),
    "the maximum of half a quad": change(r'"nvvm\.shfl\.sync"\((%\d+), (%\d+), (%\d+), (%\d+)\) <\{kind = #nvvm<shfl_kind bfly>',
                                         r'"nvvm.shfl.sync"(\1, \2, \4, \4) <{kind = #nvvm<shfl_kind idx>', 0),
    "order of P's fragments": change(r'"nvvm\.mma\.sync"\((%\d+), (%\d+), (%\d+)', r'"nvvm.mma.sync"(\1, \3, \2', -1),
    "V is not transposed": change(r"layout = #nvvm\.mma_layout<col>", "layout = #nvvm.mma_layout<row>", -1),
    "keys are not waited for": drop(r"nvvm\.cp\.async\.wait", 1),
    "values are not waited for": drop(r"nvvm\.cp\.async\.wait", 2),
    "no barrier behind the wait": drop(r"nvvm\.barrier", 1),
}
WARPGROUP_ATTENTION = {
    **{f"mbarrier wait {i} is missing": drop(r"mbarrier\.try_wait", i) for i in range(7)},
    "keys are not released": drop(r'nvvm\.mbarrier\.arrive"', 0),
    "values are not released": drop(r'nvvm\.mbarrier\.arrive"', 2),
    **{f"wgmma.fence {i} is missing": drop(r"wgmma\.fence", i) for i in range(3)},
    **{f"wgmma.wait {i} is missing": drop(r"nvvm\.wgmma\.wait", i) for i in range(4)},
    "P's fragments": change(r"\{\$(\d+), \$(\d+), \$(\d+), \$(\d+)\}", r"{$\1, $\3, $\2, $\4}"),
    "V is not transposed": change(r"1, 1, 1;", "1, 1, 0;"),
}


def caught(run):
    """True when the run faults or what it gives is wrong."""
    try:
        return not run()
    except Fault:
        return True


def check(text, run):
    kernels = Kernels(text)
    for seed in SEEDS:
        assert caught(lambda: run(kernels, seed)), f"not caught with seed {seed}"


def near(got, expected, tolerance=2e-2):
    return bool(np.all(np.abs(got - expected) <= tolerance * (1 + np.abs(expected))))


def run_product(kernels, seed, m=200, n=128, k=448):
    a, b = to_bf16(random(m, k)), to_bf16(random(n, k))
    c = apart(np.full((m, n), 0x7FFF, np.uint16))
    maps = [TensorMap(a, "bf16", (64, 128)), TensorMap(b, "bf16", (64, 64)), TensorMap(c, "bf16", (64, 128))]
    kernels.run("product", [2, 2], [384], maps, wgmma_kernels.shared_bytes(), seed)
    return near(from_bf16(c), from_bf16(a) @ from_bf16(b).T)


def product_text(**conv):
    # One value that a fault needs: true in all lanes.
    return wgmma_kernels.product(448 if not conv else 576, **conv).replace("  %tid =", "  %all = llvm.mlir.constant(true) : i1\n  %tid =", 1)


def test_product_is_right():
    kernels = Kernels(product_text())
    assert all(run_product(kernels, seed) for seed in SEEDS)


@pytest.mark.parametrize("fault", WGMMA)
def test_wgmma(fault):
    check(WGMMA[fault](product_text()), run_product)


def run_conv(kernels, seed):
    x, w = to_bf16(random(1, 9, 20, 64)), to_bf16(random(64, 576) / 8)
    padded = np.pad(from_bf16(x), ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = np.concatenate([padded[:, r:r + 9, s:s + 20] for r in range(3) for s in range(3)], -1).reshape(-1, 576) @ from_bf16(w).T
    c = apart(np.full(expected.shape, 0x7FFF, np.uint16))
    image = TensorMap(x, "bf16", lower=[-1, -1], upper=[-1, -1], channels=64, pixels=128)
    kernels.run("product", [1, 2], [384], [image, TensorMap(w, "bf16", (64, 64)), TensorMap(c, "bf16", (64, 128))],
                wgmma_kernels.shared_bytes(), seed)
    return near(from_bf16(c), expected)


def conv_text():
    return product_text(conv=(64, 9, 20, 3, 1, 1))


def test_conv_is_right():
    kernels = Kernels(conv_text())
    assert all(run_conv(kernels, seed) for seed in SEEDS)


@pytest.mark.parametrize("fault", IM2COL)
def test_im2col(fault):
    check(IM2COL[fault](conv_text()), run_conv)


def run_registers(kernels, seed):
    a, b, c = to_bf16(random(64, 64)), to_bf16(random(64, 64)), apart(np.full((64, 64), np.nan, "f4"))
    kernels.run("registers", [1], [128], [a, TensorMap(b, "bf16", (64, 64)), c], 64 * 128 + 8, seed)
    return near(c, from_bf16(a) @ from_bf16(b))


@pytest.mark.parametrize("fault", REGISTERS)
def test_from_registers(fault):
    check(REGISTERS[fault](wgmma_kernels.from_registers(64)), run_registers)


@pytest.fixture(scope="module")
def mma_text(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("mma"))
    compiled_kernels.save_model(folder + "/m.onnx", [("MatMul", ["x", "w"], ["y"], {})], {"x": (100, 96)}, {"y": (100, 80)},
                                {"w": random(96, 80)})
    return compiled_kernels.device_text(folder + "/m.onnx", folder, "sm_80", "--tf32")


def run_mma(kernels, seed, launch):
    x, w, y = apart(random(100, 96)), apart(random(96, 80)), apart(np.full((100, 80), np.nan, "f4"))
    kernels.run("k0_sm_80", arguments=[x, w, y], seed=seed, **launch)
    return near(y, x @ w)


def test_mma_is_right(mma_text):
    kernels, launch = Kernels(mma_text), compiled_kernels.launch_of(mma_text, "k0")
    assert all(run_mma(kernels, seed, launch) for seed in SEEDS)


@pytest.mark.parametrize("fault", MMA)
def test_mma(mma_text, fault):
    launch = compiled_kernels.launch_of(mma_text, "k0")
    if MMA[fault] == "shared":
        launch["shared"] //= 2
        return check(mma_text, lambda kernels, seed: run_mma(kernels, seed, launch))
    check(MMA[fault](mma_text), lambda kernels, seed: run_mma(kernels, seed, launch))


@pytest.fixture(scope="module")
def narrow_models(tmp_path_factory):
    """A product and attention of f16."""
    folder = str(tmp_path_factory.mktemp("narrow"))
    half = dict(type=TensorProto.FLOAT16)
    compiled_kernels.save_model(folder + "/product.onnx", [("MatMul", ["x", "w"], ["y"], {})], {"x": (100, 832)}, {"y": (100, 128)},
                                {"w": random(832, 128).astype("f2")}, **half)
    shape = (1, 2, 330, 64)
    nodes = [("Transpose", ["k"], ["t"], dict(perm=[0, 1, 3, 2])), ("MatMul", ["q", "t"], ["s"], {}), ("Mul", ["s", "c"], ["u"], {}),
             ("Softmax", ["u"], ["p"], dict(axis=-1)), ("MatMul", ["p", "v"], ["y"], {})]
    compiled_kernels.save_model(folder + "/attention.onnx", nodes, dict(q=shape, k=shape, v=shape), dict(y=shape),
                                {"c": np.array(0.125, "f2")}, **half)
    return lambda model, arch: compiled_kernels.device_text(f"{folder}/{model}.onnx", folder, arch)


def run_compiled(kernels, seed, text, arch, inputs, expected):
    result = apart(np.full(expected.shape, np.nan, "f2"))
    arguments = [apart(x) for x in inputs] + [result]
    kernels.run(f"k0_{arch}", arguments=arguments + compiled_kernels.maps_of(text, "k0", arguments), seed=seed,
                **compiled_kernels.launch_of(text, "k0"))
    return near(result.astype("f4"), expected, 4e-3)


def check_compiled(models, model, arch, faults, fault, inputs, expected):
    text = models(model, arch)
    run = lambda kernels, seed: run_compiled(kernels, seed, text, arch, inputs, expected)
    if not fault:
        kernels = Kernels(text)
        assert all(run(kernels, seed) for seed in SEEDS)
    else:
        check(faults[fault](text), run)


@pytest.mark.parametrize("fault", [None, *WARPGROUP])
def test_warpgroup_product(narrow_models, fault):
    x, w = random(100, 832).astype("f2"), (random(832, 128) / 8).astype("f2")
    check_compiled(narrow_models, "product", "sm_90a", WARPGROUP, fault, [x, w], x.astype("f4") @ w.astype("f4"))


def attention_case():
    q, k, v = (np.random.default_rng(i).standard_normal((1, 2, 330, 64)).astype("f2") * scale for i, scale in enumerate((3, 3, 1)))
    scores = q.astype("f4") @ k.astype("f4").swapaxes(-1, -2) / 8
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return [q, k, v], weights / weights.sum(-1, keepdims=True) @ v.astype("f4")


@pytest.mark.parametrize("fault", [None, *ATTENTION])
def test_attention(narrow_models, fault):
    check_compiled(narrow_models, "attention", "sm_80", ATTENTION, fault, *attention_case())


@pytest.mark.parametrize("fault", [None, *(WARPGROUP_ATTENTION if "COAT_TEST_LONG" in os.environ else ["wgmma.wait 1 is missing"])])
def test_warpgroup_attention(narrow_models, fault):
    check_compiled(narrow_models, "attention", "sm_90a", WARPGROUP_ATTENTION, fault, *attention_case())
