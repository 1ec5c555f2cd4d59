"""The emulator computes what the instructions mean: kernels written by hand, kernels of MLIR's own lowerings of nvgpu, and
kernels that coat writes, against NumPy, in several orders of threads and copies."""
import os

import numpy as np
import pytest

import compiled_kernels
import wgmma_kernels
from emulate import Fault, Kernels, TensorMap, apart

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = range(4)


def to_bf16(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bf16(x):
    return (x.astype(np.uint32) << 16).view(np.float32)


def random(*shape):
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


@pytest.fixture(scope="module")
def nvgpu():
    return Kernels(path=os.path.join(HERE, "nvgpu_semantics.mlir"))


def test_fragments_as_nvgpu_lowers_them(nvgpu):
    a, b, d = random(16, 16).astype("f2"), random(16, 8).astype("f2"), np.full((16, 8), np.nan, "f4")
    nvgpu.run("warp", [1], [32], [a, b, d])
    np.testing.assert_allclose(d, a.astype("f4") @ b.astype("f4"), atol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_descriptors_as_nvgpu_lowers_them(nvgpu, seed):
    a, b, d = random(128, 64).astype("f2"), random(64, 128).astype("f2"), np.full((128, 128), np.nan, "f4")
    maps = [TensorMap(a, "f16", (64, 128)), TensorMap(b, "f16", (64, 64))]
    pointers = [np.frombuffer(map.words, np.uint64) for map in maps]  # nvgpu passes pointers, not maps
    nvgpu.run("warpgroup", [1], [128], pointers + [d], shared=33776, seed=seed)
    np.testing.assert_allclose(d, a.astype("f4") @ b.astype("f4"), atol=1e-4)


@pytest.mark.parametrize("m, n, k", [(128, 64, 64), (200, 120, 448)])
def test_wgmma_product(m, n, k):
    kernels = Kernels(wgmma_kernels.product(k))
    a, b = to_bf16(random(m, k)), to_bf16(random(n, k))
    for seed in SEEDS:
        c = apart(np.full((m, n), 0x7FFF, np.uint16))
        maps = [TensorMap(a, "bf16", (64, 128)), TensorMap(b, "bf16", (64, 64)), TensorMap(c, "bf16", (64, 128))]
        kernels.run("product", [-(-n // 64), -(-m // 128)], [384], maps, wgmma_kernels.shared_bytes(), seed)
        np.testing.assert_allclose(from_bf16(c), from_bf16(a) @ from_bf16(b).T, rtol=4e-3, atol=1e-2)


@pytest.mark.parametrize("step, pad", [(1, 1), (2, 1), (2, 0)])
def test_im2col(step, pad):
    channels, filters, taps, images, size = 64, 64, 3, 2, 13
    out = (size + 2 * pad - taps) // step + 1
    kernels = Kernels(wgmma_kernels.product(taps * taps * channels, conv=(channels, out, out, taps, step, pad)))
    x, w = to_bf16(random(images, size, size, channels)), to_bf16(random(filters, taps * taps * channels) / 8)
    padded = np.pad(from_bf16(x), ((0, 0), (pad, pad + step), (pad, pad + step), (0, 0)))
    windows = [padded[:, r:r + step * out:step, s:s + step * out:step] for r in range(taps) for s in range(taps)]
    expected = np.concatenate(windows, -1).reshape(-1, taps * taps * channels) @ from_bf16(w).T
    for seed in SEEDS:
        c = apart(np.full(expected.shape, 0x7FFF, np.uint16))
        image = TensorMap(x, "bf16", lower=[-pad] * 2, upper=[pad - (taps - 1)] * 2, channels=64, pixels=128,
                          element_strides=[1, step, step, 1])
        maps = [image, TensorMap(w, "bf16", (64, 64)), TensorMap(c, "bf16", (64, 128))]
        kernels.run("product", [1, -(-len(expected) // 128)], [384], maps, wgmma_kernels.shared_bytes(), seed)
        np.testing.assert_allclose(from_bf16(c), expected, rtol=4e-3, atol=1e-2)


def test_wgmma_from_registers():
    kernels = Kernels(wgmma_kernels.from_registers(64))
    a, b = to_bf16(random(64, 64)), to_bf16(random(64, 64))
    for seed in SEEDS:
        c = apart(np.full((64, 64), np.nan, "f4"))
        kernels.run("registers", [1], [128], [a, TensorMap(b, "bf16", (64, 64)), c], 64 * 128 + 8, seed)
        np.testing.assert_allclose(c, from_bf16(a) @ from_bf16(b), rtol=1e-4, atol=1e-3)


def test_kernels_of_coat(tmp_path):
    x, w = random(100, 96), random(96, 80)
    model = str(tmp_path / "m.onnx")
    compiled_kernels.save_model(model, [("MatMul", ["x", "w"], ["y"], {})], {"x": (100, 96)}, {"y": (100, 80)}, {"w": w})
    for flags, tolerance in ([], 1e-4), (["--tf32"], 3e-2):
        text = compiled_kernels.device_text(model, str(tmp_path), "sm_80", *flags)
        kernels = Kernels(text)
        for seed in SEEDS:
            y = apart(np.full((100, 80), np.nan, "f4"))
            kernels.run("k0_sm_80", arguments=[x, w, y], seed=seed, **compiled_kernels.launch_of(text, "k0"))
            np.testing.assert_allclose(y, x @ w, atol=tolerance, rtol=1e-3)


def test_faults_name_their_place():
    text = wgmma_kernels.product(128).replace("nvvm.fence.mbarrier.init", "", 1)
    a = to_bf16(random(128, 128))
    maps = [TensorMap(a, "bf16", (64, 128)), TensorMap(a[:64], "bf16", (64, 64)), TensorMap(a.copy(), "bf16", (64, 128))]
    with pytest.raises(Fault, match=r"product, block \(0, 0, 0\), thread \d+, nvvm\.cp\.async\.bulk\.tensor.* at .*mlir:\d+: "
                                    r"expected fence\.mbarrier\.init or fence\.proxy\.async"):
        Kernels(text).run("product", [1, 1], [384], maps, wgmma_kernels.shared_bytes())
