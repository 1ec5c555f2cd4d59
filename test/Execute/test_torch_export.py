"""Programs of torch.export, as saved and as core ATen, against PyTorch."""
import os

import numpy as np
import pytest

import coat
from conftest import ROOT, within_bounds
from test_models import LITERATURE, TORCH

torch = pytest.importorskip("torch")
LONG = bool(os.environ.get("COAT_TEST_LONG"))
SHORT = ["lenet5", "vit_ti16", "detr"]
NAMES = TORCH + LITERATURE + ["swin_t", "convnext_t", "coatnet_0", "cvt_13", "mobilevit_s"] if LONG else SHORT


def network(name):
    import sys
    sys.path.insert(0, os.path.join(ROOT, "test", "models"))
    from networks import build
    module, inputs = build(name)
    with torch.no_grad():
        results = module(*inputs.values())
    results = results if isinstance(results, tuple) else (results,)
    return module, tuple(inputs.values()), [r.numpy() for r in results]


@pytest.mark.parametrize("form", ["exported", "core"])
@pytest.mark.parametrize("name", NAMES)
def test_program(name, form):
    module, inputs, expected = network(name)
    program = torch.export.export(module, inputs)
    if form == "core":
        program = program.run_decompositions()
    for got, want in zip(coat.compile(program)(*(x.numpy() for x in inputs)), expected, strict=True):
        within_bounds(got, want)


def test_symbolic_batch():
    """A dynamic dimension of the program is one of coat's, under the name that the program gives it."""
    module, (image,), _ = network("lenet5")
    program = torch.export.export(module, (torch.cat([image] * 3),), dynamic_shapes=({0: torch.export.Dim("N", min=1, max=8)},))
    symbol, = map(str, program.range_constraints)
    library = coat.compile(program, dims={symbol: (1, 8)})
    for count in (1, 3, 8):
        x = torch.randn(count, *image.shape[1:])
        with torch.no_grad():
            within_bounds(library(x.numpy())[0], module(x).numpy())


def refusal(module, *inputs):
    with pytest.raises(coat.CompileError) as caught:
        coat.compile(torch.export.export(module, inputs))
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_unknown_op():
    class Module(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.inv(x)
    assert "expected an operator that coat compiles, got aten.linalg_inv" in refusal(Module(), torch.eye(3))


def test_training_batch_norm():
    assert "try" in refusal(torch.nn.BatchNorm2d(3), torch.randn(1, 3, 4, 4))


def test_damaged_archives(tmp_path):
    """Cut short, with a byte changed, without its weights, with brackets that nest deep: one line each."""
    import zipfile
    program = torch.export.export(torch.nn.Linear(3, 2), (torch.randn(1, 3),))
    path = tmp_path / "model.pt2"
    torch.export.save(program, path)
    data = path.read_bytes()
    variants = [data[:cut] for cut in (5, len(data) // 2, len(data) - 10)]
    archive = zipfile.ZipFile(path)
    for name in archive.namelist():
        for replacement in (None, b"", b"[" * 100000, b"{}", archive.read(name)[:-3]):
            other = tmp_path / "other.pt2"
            with zipfile.ZipFile(other, "w") as out:
                for entry in archive.namelist():
                    content = replacement if entry == name else archive.read(entry)
                    if content is not None:
                        out.writestr(entry, content)
            variants.append(other.read_bytes())
    for variant in variants:
        (tmp_path / "bad.pt2").write_bytes(variant)
        try:
            coat.compile(tmp_path / "bad.pt2")
        except coat.CompileError as error:
            assert error.code in (1, 2) and len(str(error).splitlines()) == 1


@pytest.mark.parametrize("door", ["program", "dynamo"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["lenet5", "vit_ti16", "resnet18"] if LONG else ["lenet5"])
def test_half_precision(name, dtype, door, tmp_path):
    """Models held in a narrow type: at most twice as far from f32 as PyTorch is in that type."""
    _, inputs, expected = network(name)
    module, _, _ = network(name)
    kind = getattr(torch, dtype)
    inputs = tuple(x.to(kind) for x in inputs)
    module = module.to(kind)
    with torch.no_grad():
        rounded = module(*inputs).float().numpy()
        if door == "program":
            model = torch.export.export(module, inputs)
        else:
            model = str(tmp_path / "net.onnx")
            torch.onnx.export(module, inputs, model, dynamo=True, external_data=False, verbose=False)
    got, = coat.compile(model)(*(x.numpy() if dtype == "float16" else x.view(torch.int16).numpy().view(np.uint16) for x in inputs))
    got = np.asarray(got)
    if got.dtype != np.float16:  # bfloat16 as ml_dtypes knows it, or as bits
        got = (got.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    error = lambda result: float(np.sqrt(np.mean((result.astype(np.float64) - expected[0]) ** 2)))  # noqa: E731
    assert error(got) <= 2 * error(rounded), (error(got), error(rounded))
