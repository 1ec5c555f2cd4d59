"""The model tests whose data lies in the `onnx` package: right, or refused by one clear line; those of opset 7 and later must
be right.

Kinds: simple, pytorch-operator, pytorch-converted, and real, whose data are the package's models without weights: constants
stand for them, so that test/Execute has the same models with random ones.
"""
import glob
import os

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import DATA_DIR, load_model_tests

import coat

LONG = bool(os.environ.get("COAT_TEST_LONG"))
KINDS = ["simple", "pytorch-operator", "pytorch-converted", "real"]
LIGHT = "onnx/backend/test/data/light/"
# Of each string: docs/rationale/strings.md.
STRING_BYTES = 64
# Of the real ones; the others take longer.
SHORT = {"test_squeezenet", "test_shufflenet"}


def cases():
    every = [(kind, case) for kind in KINDS for case in sorted(load_model_tests(kind=kind), key=lambda case: case.name)]
    return [pytest.param(case, id=f"{kind}-{case.name}", marks=pytest.mark.xdist_group(case.name) if kind == "real" else ()) for kind, case in every]


def proto(value_info, path):
    """What the file holds: an array, or None for a sequence or an optional."""
    if not value_info.type.HasField("tensor_type"):
        return None
    with open(path, "rb") as file:
        return numpy_helper.to_array(onnx.TensorProto.FromString(file.read()))


def arrays(values, folder, prefix):
    return [proto(value, os.path.join(folder, f"{prefix}_{i}.pb")) for i, value in enumerate(values)]


def as_bytes(array):
    """Strings as coat takes and gives them."""
    if array is None or array.dtype.kind not in "OUS":
        return array
    encoded = [str(s).encode() for s in array.ravel()]
    return np.array(encoded, f"S{STRING_BYTES}").view(np.uint8).reshape(*array.shape, STRING_BYTES)


def ramp(value):
    """The input that the package's runner makes for models that have no data of their own."""
    shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
    return (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)


def inputs_of(model):
    weights = {t.name for t in model.graph.initializer}
    return [v for v in model.graph.input if v.name not in weights]


def data_of(case, path, model):
    """Inputs and expected outputs, one pair a data set."""
    inputs = inputs_of(model)
    if case.model_dir is None:
        return [([ramp(v) for v in inputs], arrays(model.graph.output, os.path.dirname(path), os.path.basename(path)[:-5] + "_output"))]
    folders = sorted(glob.glob(os.path.join(case.model_dir, "test_data_set_*")))
    assert folders
    return [([as_bytes(a) for a in arrays(inputs, folder, "input")], [as_bytes(a) for a in arrays(model.graph.output, folder, "output")]) for folder in folders]


@pytest.mark.parametrize("case", cases())
def test_model_data(case):
    if case.model_dir is None and not case.url.startswith(LIGHT):
        pytest.skip(f"{case.name} has to be downloaded from {case.url}")
    if case.kind == "real" and case.name not in SHORT and not LONG:
        pytest.skip("takes long; scripts/check_long.sh runs it")
    path = os.path.join(DATA_DIR, "light", os.path.basename(case.url)) if case.model_dir is None else os.path.join(case.model_dir, "model.onnx")
    model = onnx.load(path)
    sets = data_of(case, path, model)
    opset = max(o.version for o in model.opset_import if o.domain == "")
    for value, array in zip(inputs_of(model), sets[0][0]):
        for dim, size in zip(value.type.tensor_type.shape.dim, getattr(array, "shape", ())):
            dim.dim_value = size  # also of symbolic ones: a range of sizes does not hold 0
    tensors = not any(array is None for given, wanted in sets for array in (*given, *wanted))
    strings = any(v.type.tensor_type.elem_type == onnx.TensorProto.STRING for v in inputs_of(model))
    try:
        module = coat.compile(model, flags=["-O2", *(["--dim", f"string_bytes={STRING_BYTES}"] if strings else [])])
    except coat.CompileError as error:
        assert error.code in (1, 2), error
        assert len(str(error).splitlines()) == 1 and "expected" in str(error), error
        assert opset < 7 or not tensors, error
        pytest.skip(str(error))
    for given, wanted in sets:
        for got, want in zip(module(*given), wanted, strict=True):
            assert got.dtype == want.dtype
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=case.rtol, atol=max(case.atol, 1e-5))
